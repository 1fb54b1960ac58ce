#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/recipes/task_passes.h"
#include "train/recipes/task_set.h"

namespace bertha {

/// What a model's outputs on a set are worth, and what they say.
struct TaskReport {
  /// As `bertha evaluate --json` names them.
  std::vector<std::pair<std::string, double>> metrics;
  std::string table;  // by label, tag or type, and which label is taken for which, where that applies
  /// SQuAD's JSON of answers by id; columns `token gold predicted`, in which a blank within a word is `_`; or a table
  /// `index label predicted score`.
  std::string predictions;
  std::string intents;  // such a table, beside the columns of slots
};
TaskReport report_task(const TaskDescription& description, const TaskSet& set, std::vector<TaskOutputs> outputs);

/// The metric that says which of two models is better: the higher.
std::string_view deciding_metric(Task task);

}  // namespace bertha
