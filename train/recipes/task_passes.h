#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/packed_batch.h"
#include "nn/bert_for_task.h"
#include "train/task.h"
#include "train/training_task.h"

namespace bertha {

// What a model does with a packed batch of a task's examples.

/// The numbers a model gives for one example: logits of classes, labels or choices, or scores; of each labelled row the
/// logits of tags; of each token the logits of starts and ends, side by side; of intents and slots the former and then
/// the latter.
using TaskOutputs = std::vector<float>;

/// The parts of a task's loss, each a mean over its labels.
std::vector<std::string> loss_parts(Task task);

/// Labels of a batch by part of the loss.
std::vector<int64_t> count_labels(Task task, const PackedBatch& batch);

/// Terms of a teacher's part of the loss, by part: it has something to say where no label is known, too.
std::vector<int64_t> count_taught(Task task, const PackedBatch& batch);

/// The logits of a batch: one tensor a part.
std::vector<Var> task_logits(const BertForTask& model, Run& run, const PackedBatch& batch);

/// scales[p] times part p summed over its labels, added up (1). Adds the unscaled sums to `sums`.
Var task_loss(Task task, const std::vector<Var>& logits, const PackedBatch& batch, std::span<const double> scales,
              std::span<LossSums> sums);

/// The same with a teacher's logits of that batch in the labels' place, by count_taught's terms: soft targets at
/// `temperature` (Hinton et al. 2015), and squared differences of scores, which have none.
Var taught_loss(Task task, const std::vector<Var>& logits, const std::vector<Var>& teacher, const PackedBatch& batch,
                double temperature, std::span<const double> scales, std::span<LossSums> sums);

/// The outputs of each example of a batch, which needs no labels but `labelled_rows`.
std::vector<TaskOutputs> task_outputs(const BertForTask& model, const PackedBatch& batch);

/// Floating-point operations of forward and backward.
double task_flops(const BertForTask& model, const PackedBatch& batch);

}  // namespace bertha
