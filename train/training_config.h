#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/core/dtype.h"
#include "train/comm/failure_watch.h"
#include "train/config_keys.h"
#include "train/config_tree.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/spike_detector.h"

namespace bertha {

// The sections that configurations of pretraining and fine-tuning share.

struct TrainingSection {
  std::optional<int64_t> steps, epochs;             // one of these
  std::optional<std::chrono::seconds> time_budget;  // or this, for steps, evaluations and checkpoints
  int64_t global_batch_size = 64;                   // sequences per optimiser step over all ranks and micro-batches
  std::optional<int64_t> micro_batch_size;          // left out: global_batch_size / ranks, at most 16
  OptimizerKind optimizer = OptimizerKind::kAdamW;
  double learning_rate = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double epsilon = 1e-6;
  std::optional<int64_t> warmup_steps;  // left out: a tenth of the run, filled in where `steps` is given
  ScheduleKind schedule = ScheduleKind::kLinear;
  double weight_decay = 0.01;    // not on biases and LayerNorm
  double clip_grad_norm = 1.0;   // 0: no clipping
  DType precision = DType::f32;  // of activations and products: f32 or bf16
  bool recompute = false;        // activations, in backward, instead of keeping them
  int64_t seed = 1;
  bool deterministic = false;  // the same bits on any number of ranks
};

struct CommunicationSection {
  bool overlap = true;           // reduce gradients while backward runs
  bool shard_optimizer = false;  // each rank keeps the moments of its part and updates only that
  int64_t verify_every = 100;    // steps between comparisons of the ranks' parameters; 0: at checkpoints only
  std::optional<std::chrono::seconds> stall_limit = kStallLimit;  // 0s: a rank may stand still for ever
};

struct CheckpointSection {
  int64_t every_steps = 200;
  int64_t keep = 3;
};

ConfigKey::Section training_keys(TrainingSection& training);
ConfigKey::Section communication_keys(CommunicationSection& communication);
ConfigKey::Section spike_keys(SpikeOptions& spikes);
ConfigKey::Section checkpoint_keys(CheckpointSection& checkpoint);

/// Throws ConfigError for what takes more than one key of `training` to see.
void check_training(const ConfigNode& root, const TrainingSection& training);

/// The place of the last key of `path` that is there.
ConfigPlace place_of(const ConfigNode& root, std::initializer_list<std::string_view> path);

/// Throws ConfigError for a key that has to be there; `what` names it and the alternatives.
[[noreturn]] void fail_missing_key(const ConfigNode& root, std::string_view what);

/// Refuses both of two keys of which one makes the other void.
void check_not_both(const ConfigNode& root, std::string_view section, std::string_view a, std::string_view b);

/// One line, `training.steps: 1000 -> 2000`, for each key whose value differs.
std::vector<std::string> differences(const ConfigKey::Section& before, const ConfigKey::Section& after);

}  // namespace bertha
