#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/metrics.h"

namespace bertha {

/// One training step as metrics.jsonl has it; NaN for what it does not say.
struct TrainStep {
  int64_t step = 0;
  double loss = 0, mlm_loss = 0, mlm_accuracy = 0;
  double learning_rate = 0, grad_norm = 0;
  double tokens_per_s = 0, communication_share = 0;
  bool skipped = false;  // its update was left out
};

/// What a run has written of itself.
struct RunHistory {
  std::vector<TrainStep> steps;
  std::vector<MetricsLine> evaluations;
  std::optional<MetricsLine> last_step;  // with all its numbers
};

/// Of a run directory, as MetricsReader reads it; in memory that grows with its steps, for advice looks at all of them.
RunHistory read_run_history(const std::string& directory);

}  // namespace bertha
