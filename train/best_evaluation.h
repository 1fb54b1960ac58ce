#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "train/task.h"

namespace bertha {

/// The number by which evaluations of a run are compared.
struct EvaluationMetric {
  std::string name;
  bool higher_is_better = false;
};

/// What decides in fine-tuning for a task; of pretraining, which has none, the loss.
EvaluationMetric evaluation_metric(std::optional<Task> finetuning);

/// The first of those with the best `value`; null where none is finite.
template <class Evaluation>
const Evaluation* best_of(const std::vector<Evaluation>& all, const EvaluationMetric& metric) {
  const Evaluation* best = nullptr;
  for (const Evaluation& one : all) {
    const bool better = !best || (metric.higher_is_better ? one.value > best->value : one.value < best->value);
    if (std::isfinite(one.value) && better) best = &one;
  }
  return best;
}

}  // namespace bertha
