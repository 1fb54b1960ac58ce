#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nn/bert_for_task.h"
#include "train/comm/communicator.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_set.h"

namespace bertha {

/// The outputs of every example of a set, in their order and the same on every rank. Collective.
std::vector<TaskOutputs> evaluate_task(const BertForTask& model, const TaskSet& set, Communicator& communicator);

/// What a model's outputs on a set are worth, and what they say.
struct TaskReport {
  /// As `bertha evaluate --json` names them; see metric_names.
  std::vector<std::pair<std::string, double>> metrics;
  std::string table;  // by label, tag or type, and which label is taken for which, where that applies
  /// SQuAD's JSON of answers by id; columns `token gold predicted`; or a table `index label predicted score`.
  std::string predictions;
};
TaskReport report_task(const TaskDescription& description, const TaskSet& set, std::vector<TaskOutputs> outputs);

/// The metric that says which of two models is better: the higher.
std::string_view deciding_metric(Task task);

}  // namespace bertha
