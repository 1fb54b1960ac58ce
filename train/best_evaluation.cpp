#include "train/best_evaluation.h"

#include "train/recipes/task_report.h"

namespace bertha {

EvaluationMetric evaluation_metric(std::optional<Task> finetuning) {
  if (!finetuning) return {"loss", false};
  return {std::string(deciding_metric(*finetuning)), true};
}

}  // namespace bertha
