#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/best_evaluation.h"
#include "train/inspect/run_evidence.h"

namespace bertha {

// What advice looks at of a run's steps.

using Steps = std::span<const TrainStep>;
using StepNumber = double TrainStep::*;

/// Fewer steps say little of a run.
inline constexpr size_t kLeastSteps = 100;

/// Over the steps that have the number; NaN where none has.
double mean_of(Steps steps, StepNumber number);
double median_of(Steps steps, StepNumber number);

/// The newest tenth of all steps, at least 20; and as many before them. Of at least kLeastSteps steps.
Steps recent(Steps steps);
Steps before_recent(Steps steps);

/// Steps of the warm-up; none where the length of the run is not known and decides.
std::optional<int64_t> warmup_steps(const RunEvidence& evidence);

/// The steps behind the warm-up, all where its length is not known.
Steps warm(const RunEvidence& evidence);

/// The evaluations that have the number they are compared by.
struct JudgedEvaluations {
  struct One {
    int64_t step;
    double value;
  };
  EvaluationMetric metric;
  std::vector<One> all;
};
JudgedEvaluations judged_evaluations(const RunEvidence& evidence);

}  // namespace bertha
