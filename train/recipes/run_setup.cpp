#include "train/recipes/run_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "autograd/core/parallel.h"
#include "autograd/kernels/isa.h"
#include "autograd/kernels/peak.h"
#include "train/checkpoint/atomic_directory.h"
#include "train/duration.h"
#include "train/process.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestDefaultMicroBatch = 16;
constexpr size_t kMostTensorNames = 6;

}  // namespace

int64_t micro_batch_size(const TrainingSection& training, int ranks) {
  if (training.micro_batch_size) return *training.micro_batch_size;
  const int64_t share = training.deterministic ? training.global_batch_size : training.global_batch_size / ranks;
  return std::clamp<int64_t>(share, 1, kLargestDefaultMicroBatch);
}

int64_t steps_of(const TrainingSection& training, int64_t samples) {
  if (training.steps) return *training.steps;
  if (training.time_budget) return 0;
  return (*training.epochs * samples + training.global_batch_size - 1) / training.global_batch_size;
}

void check_precision(const TrainingSection& training) {
  check<ConfigError>(training.precision != DType::bf16 || kernels::has_bf16(),
                     "training.precision: bf16 (this processor has no AVX512_BF16; f32 runs on any)");
}

void check_fits_model(const BertConfig& model, int64_t sequence_length) {
  check<MismatchError>(sequence_length <= model.longest_sequence(), "data.sequence_length: ", sequence_length,
                       " tokens (the model has ", model.longest_sequence(), " positions)");
}

std::vector<std::string> initialize_from(const std::string& directory, std::span<const int64_t> layers,
                                         OutputLayer output_layer, uint64_t seed, double standard_deviation,
                                         ParameterStore& parameters) {
  parameters.initialize(seed, standard_deviation);
  const SharedWeights shared = read_shared_weights(directory, parameters, layers, output_layer);
  std::vector<std::string> sentences;
  if (!shared.missing.empty()) {
    sentences.push_back("a new head, initialised at random: " + listed(shared.missing, kMostTensorNames));
  }
  if (!shared.unused.empty()) {
    sentences.push_back("not used, of " + directory + ": " + listed(shared.unused, kMostTensorNames));
  }
  return sentences;
}

std::string listed(std::span<const std::string> names, size_t most) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == most) return text + fmt::format(", ... ({} in all)", names.size());
    text += (text.empty() ? "" : ", ") + names[i];
  }
  return text;
}

int64_t parameter_count(const ParameterStore& store) {
  int64_t total = 0;
  for (const PublishedTensor& tensor : store.published()) total += tensor.shape.numel();
  return total;
}

std::unique_ptr<RunLock> open_output(const std::string& output, const Communicator& communicator) {
  if (communicator.rank() != 0) return nullptr;
  make_directories(output);
  auto lock = std::make_unique<RunLock>(output);
  recover_directory(output);
  return lock;
}

TrainerOptions trainer_options(const TrainingSection& t, const CommunicationSection& communication,
                               const CheckpointSection& checkpoint, int64_t steps) {
  TrainerOptions options;
  if (steps > 0 && t.warmup_steps) {
    check<ConfigError>(*t.warmup_steps <= steps, "training.warmup_steps: ", *t.warmup_steps, " (the run has ", steps,
                       " steps)");
  }
  options.dtype = t.precision;
  options.recompute = t.recompute;
  options.steps = steps;
  options.time_budget = t.time_budget;
  options.global_batch_size = t.global_batch_size;
  options.seed = static_cast<uint64_t>(t.seed);
  options.optimizer = {t.optimizer, t.betas[0], t.betas[1], t.epsilon, t.weight_decay, t.clip_grad_norm};
  options.schedule = {t.schedule, t.learning_rate, t.warmup_steps, steps};
  options.reduction = t.deterministic         ? Reduction::kDeterministic
                      : communication.overlap ? Reduction::kOverlapped
                                              : Reduction::kAfterBackward;
  options.sharding = communication.shard_optimizer ? Sharding::kOn : Sharding::kOff;
  options.verify_every = communication.verify_every;
  options.checkpoint_every = checkpoint.every_steps;
  options.keep_checkpoints = static_cast<int>(checkpoint.keep);
  return options;
}

void note_changes(const std::string& before,
                  const std::function<std::vector<std::string>(const std::string& yaml)>& changes_since,
                  const RunEvents& events) {
  if (before.empty()) return;
  try {
    for (const std::string& line : changes_since(before)) events.note("changed since the checkpoint: " + line);
  } catch (const ConfigError& error) {
    events.note(std::string("the checkpoint's configuration cannot be compared: ") + error.what());
  }
}

std::string length_text(const TrainerOptions& options) {
  return options.time_budget ? to_text(*options.time_budget) + " of steps" : fmt::format("{} steps", options.steps);
}

void note_stopped(const std::string& output, const RunEvents& events) {
  events.note("stopped by a signal; saved in " + output + "/checkpoints, and the same command continues");
}

double measure_peak(DType precision, Communicator& communicator) {
  double peak_flops = kernels::measure_peak(precision);
  communicator.all_reduce_sum(std::span<double>(&peak_flops, 1));
  return peak_flops;
}

void note_machine(DType precision, double peak_flops, const Communicator& communicator, const RunEvents& events) {
  events.note(fmt::format("{} ranks of {} threads, {:.0f} GFLOP/s ({} peak)", communicator.size(), num_threads(),
                          peak_flops / 1e9, precision == DType::bf16 ? "bf16 dot-product" : "f32 fma"));
  events.note(fmt::format("rank 0 runs {} threads on cores {}, {}; {} kernels", num_threads(),
                          ranges_text(usable_processors()),
                          threads_are_pinned() ? "pinned" : "not pinned (OMP_PROC_BIND)", kernels::isa_name()));
}

}  // namespace bertha
