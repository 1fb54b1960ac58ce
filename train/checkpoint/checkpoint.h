#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/checkpoint/tensor_view.h"
#include "train/checkpoint/training_state.h"

namespace bertha {

inline constexpr std::string_view kWeightsName = "model.safetensors";

struct NamedBytes {
  std::string name;
  std::string bytes;
};

/// What a model directory holds: config.json and the tokenizer's files as they are to be written, and the weights.
struct ModelContent {
  std::vector<NamedBytes> files;
  std::vector<TensorView> weights;
};

/// Writes a model directory with a manifest, or leaves what was there. Errors as AtomicDirectory.
void publish_model(const std::string& directory, const ModelContent& model);

/// The names of the checkpoints in a run's `checkpoints` directory, good or not, the newest first.
std::vector<std::string> checkpoint_names(const std::string& directory);

/// The name of the one that `latest` there points at; empty where it cannot be read.
std::string latest_checkpoint(const std::string& directory);

/// A run's checkpoints: `step-00000200/`, ... and `latest`, which names the one to resume from.
/// Made by the one process that writes; a crash at any moment leaves every checkpoint that was good, and `latest`
/// naming one of them.
class Checkpoints {
 public:
  /// Makes the directory or tidies it after a crash. The `keep` newest stay; at least one.
  Checkpoints(std::string directory, int keep);

  /// Writes, publishes and reads back a checkpoint of `state.step`, then points `latest` at it and removes those that
  /// are no longer kept. Returns its directory. On an error `latest` and what it names are as before.
  std::string save(const ModelContent& model, const TrainingState& state, std::span<const Moment> moments) const;

  struct Choice {
    std::optional<std::string> directory;  // none where there is no good checkpoint
    std::vector<std::string> skipped;      // a sentence for each that was passed over
  };
  /// The checkpoint that `latest` names, or the newest other one of which every byte is what was written.
  Choice newest_good() const { return newest_good(1); }
  /// The same of those whose step is a multiple of `every`.
  Choice newest_good(int64_t every) const;

  /// Lets `latest` name what `newest_good` chose, before the run forgets what came after it: if it is started once
  /// more, it goes on from there as well. Where `latest` named that before, later checkpoints are of a future that was
  /// given up, and go; else they stay, for those passed over may be good when they are read again.
  void go_on_from(const std::string& directory) const;

  /// Removes the checkpoints of steps after `step`, which are of a future that was given up.
  void remove_after(int64_t step) const;

 private:
  std::string latest_path() const;
  void remove_old(int64_t newest_step) const;

  std::string directory_;
  int keep_;
};

}  // namespace bertha
