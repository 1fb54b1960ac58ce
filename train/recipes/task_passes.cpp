#include "train/recipes/task_passes.h"

#include <algorithm>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/task_losses.h"
#include "nn/flops.h"
#include "train/recipes/pretraining_batch.h"

namespace bertha {
namespace {

// Where in the batch an example's labelled rows begin and end.
IndexRange labelled_rows_of(const PackedBatch& batch, int64_t first_row, int64_t end_row) {
  const auto begin = std::ranges::lower_bound(batch.labelled_rows, first_row) - batch.labelled_rows.begin();
  const auto end = std::ranges::lower_bound(batch.labelled_rows, end_row) - batch.labelled_rows.begin();
  return {begin, end};
}

void append_rows(TaskOutputs& outputs, const Tensor& logits, IndexRange rows) {
  const float* first = logits.data<float>() + rows.begin * logits.cols();
  outputs.insert(outputs.end(), first, first + rows.size() * logits.cols());
}

}  // namespace

std::vector<std::string> loss_parts(Task task) {
  switch (task) {
    case Task::kRegression:
      return {"score"};
    case Task::kTokenClassification:
      return {"tag"};
    case Task::kIntentAndSlots:
      return {"intent", "slot"};
    case Task::kQuestionAnswering:
      return {"span"};
    case Task::kMultipleChoice:
      return {"choice"};
    default:
      return {"label"};
  }
}

std::vector<int64_t> count_labels(Task task, const PackedBatch& batch) {
  const auto known = [](const std::vector<int32_t>& labels) -> int64_t {
    return std::ranges::count_if(labels, [](int32_t label) { return label >= 0; });
  };
  switch (task) {
    case Task::kMultiLabel:
    case Task::kRegression:
      return {std::ssize(batch.targets)};
    case Task::kTokenClassification:
      return {batch.labelled()};
    case Task::kIntentAndSlots:
      return {known(batch.sequence_labels), batch.labelled()};
    case Task::kQuestionAnswering:
      return {known(batch.starts) + known(batch.ends)};
    default:
      return {known(batch.sequence_labels)};
  }
}

std::vector<int64_t> count_taught(Task task, const PackedBatch& batch) {
  if (task == Task::kIntentAndSlots) return {batch.sequences(), batch.labelled()};
  if (task == Task::kQuestionAnswering) return {2 * batch.sequences()};
  return count_labels(task, batch);
}

std::vector<Var> task_logits(const BertForTask& model, Run& run, const PackedBatch& batch) {
  set_sequences(run, batch);
  const TokenInputs inputs = token_inputs(batch);
  switch (model.head().kind) {
    case Head::kTokens:
      return {model.row_logits(run, inputs, batch.labelled_rows)};
    case Head::kSpans:
      return {model.span_logits(run, inputs)};
    case Head::kIntentAndSlots: {
      auto [intents, slots] = model.intent_and_slot_logits(run, inputs, batch.labelled_rows);
      return {intents, slots};
    }
    default:
      return {model.sequence_logits(run, inputs)};
  }
}

Var task_loss(Task task, const std::vector<Var>& logits, const PackedBatch& batch, std::span<const double> scales,
              std::span<LossSums> sums) {
  switch (task) {
    case Task::kMultiLabel:
      return binary_cross_entropy(logits[0], batch.targets, scales[0], sums[0]);
    case Task::kRegression:
      return squared_error(logits[0], batch.targets, scales[0], sums[0]);
    case Task::kTokenClassification:
      return cross_entropy(logits[0], batch.row_labels, scales[0], sums[0]);
    case Task::kIntentAndSlots:
      return add(cross_entropy(logits[0], batch.sequence_labels, scales[0], sums[0]),
                 cross_entropy(logits[1], batch.row_labels, scales[1], sums[1]));
    case Task::kQuestionAnswering:
      return add(segment_cross_entropy(logits[0], 0, batch.cu_seqlens, batch.starts, scales[0], sums[0]),
                 segment_cross_entropy(logits[0], 1, batch.cu_seqlens, batch.ends, scales[0], sums[0]));
    case Task::kMultipleChoice: {
      std::vector<int32_t> right;
      for (size_t set = 0; set < batch.sequence_labels.size(); ++set) {
        right.push_back(batch.sets[set] + batch.sequence_labels[set]);
      }
      return segment_cross_entropy(logits[0], 0, batch.sets, right, scales[0], sums[0]);
    }
    default:
      return cross_entropy(logits[0], batch.sequence_labels, scales[0], sums[0]);
  }
}

Var taught_loss(Task task, const std::vector<Var>& logits, const std::vector<Var>& teacher, const PackedBatch& batch,
                double temperature, std::span<const double> scales, std::span<LossSums> sums) {
  const auto soft = [&](size_t part) {
    return soft_cross_entropy(logits[part], teacher[part].value(), temperature, scales[part], sums[part]);
  };
  const auto soft_segments = [&](int64_t column, std::span<const int32_t> segments) {
    return soft_segment_cross_entropy(logits[0], column, segments, teacher[0].value(), temperature, scales[0], sums[0]);
  };
  switch (task) {
    case Task::kMultiLabel:
      return soft_binary_cross_entropy(logits[0], teacher[0].value(), temperature, scales[0], sums[0]);
    case Task::kRegression:
      return squared_error(logits[0], teacher[0].value().span<float>(), scales[0], sums[0]);
    case Task::kIntentAndSlots:
      return add(soft(0), soft(1));
    case Task::kQuestionAnswering:
      return add(soft_segments(0, batch.cu_seqlens), soft_segments(1, batch.cu_seqlens));
    case Task::kMultipleChoice:
      return soft_segments(0, batch.sets);
    default:
      return soft(0);
  }
}

std::vector<TaskOutputs> task_outputs(const BertForTask& model, const PackedBatch& batch) {
  Run run;
  const std::vector<Var> logits = task_logits(model, run, batch);
  std::vector<TaskOutputs> outputs(batch.sets.size() - 1);
  for (size_t example = 0; example < outputs.size(); ++example) {
    const IndexRange sequences = {batch.sets[example], batch.sets[example + 1]};
    const int64_t first_row = batch.cu_seqlens[static_cast<size_t>(sequences.begin)];
    const int64_t end_row = batch.cu_seqlens[static_cast<size_t>(sequences.end)];
    const IndexRange labelled = labelled_rows_of(batch, first_row, end_row);
    switch (model.head().kind) {
      case Head::kTokens:
        append_rows(outputs[example], logits[0].value(), labelled);
        break;
      case Head::kSpans:
        append_rows(outputs[example], logits[0].value(), {first_row, end_row});
        break;
      case Head::kIntentAndSlots:
        append_rows(outputs[example], logits[0].value(), sequences);
        append_rows(outputs[example], logits[1].value(), labelled);
        break;
      default:
        append_rows(outputs[example], logits[0].value(), sequences);
        break;
    }
  }
  return outputs;
}

double task_flops(const BertForTask& model, const PackedBatch& batch) {
  return pretraining_flops(model.config(), batch.cu_seqlens, 0);
}

}  // namespace bertha
