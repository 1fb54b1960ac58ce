#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/bert_config.h"
#include "train/memory_plan.h"
#include "train/training_config.h"

namespace bertha {

/// The plan of a run, a sentence a line: what pretraining and fine-tuning have in common.
class RunPlan {
 public:
  /// The sections must outlive the plan.
  RunPlan(const TrainingSection& training, const CommunicationSection& communication,
          const CheckpointSection& checkpoint, int ranks)
      : training_(training), communication_(communication), checkpoint_(checkpoint), ranks_(ranks) {}

  void say(std::string line) { lines_.push_back(std::move(line)); }

  /// How a batch of `samples`, as they are called, is dealt. Throws ConfigError where a rank would have none.
  void say_step(std::string_view samples);

  /// Over so many samples, where that is known. Throws ConfigError where the warm-up is longer.
  void say_length(std::optional<int64_t> samples);

  /// Of a step whose sizes are given; the sections say the rest.
  void say_memory(const BertConfig& model, PlannedStep step);

  /// Bytes of a run's checkpoints and its model: weights and two moments, of one more than is kept while it is written.
  int64_t bytes_of_run(int64_t parameters) const { return ((checkpoint_.keep + 1) * 3 + 1) * 4 * parameters; }

  /// Throws Error where so many bytes are not free.
  void say_disk(const std::string& output, int64_t bytes);

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  const TrainingSection& training_;
  const CommunicationSection& communication_;
  const CheckpointSection& checkpoint_;
  int ranks_;
  std::vector<std::string> lines_;
};

}  // namespace bertha
