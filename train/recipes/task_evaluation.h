#pragma once

#include <vector>

#include "nn/bert_for_task.h"
#include "train/comm/communicator.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_set.h"

namespace bertha {

/// The outputs of every example of a set, in their order and the same on every rank. Collective.
std::vector<TaskOutputs> evaluate_task(const BertForTask& model, const TaskSet& set, Communicator& communicator);

}  // namespace bertha
