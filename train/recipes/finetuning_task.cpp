#include "train/recipes/finetuning_task.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/task_losses.h"
#include "train/recipes/task_passes.h"

namespace bertha {

FinetuningTask::FinetuningTask(BertForTask& model, const ModelDescription& description, const Tokenizer& tokenizer,
                               TrainingBatches training, const TaskSet* validation, std::optional<Teacher> teacher,
                               RunIdentity identity)
    : model_(model),
      description_(description),
      tokenizer_(tokenizer),
      training_(std::move(training)),
      validation_(validation),
      teacher_(std::move(teacher)),
      identity_(std::move(identity)),
      parts_(bertha::loss_parts(description.task.task)) {
  if (teacher_) parts_.push_back("teacher");
}

void FinetuningTask::start(int64_t first_step, IndexRange local_slices) {
  loader_.emplace(training_, local_slices, first_step);
}

// The teacher's part has a term for each row of the logits that the labels are about.
int64_t FinetuningTask::taught_rows(const PackedBatch& batch) const {
  return task() == Task::kTokenClassification ? batch.labelled() : std::ssize(batch.sequence_labels);
}

std::vector<BatchCounts> FinetuningTask::next_batch() {
  batch_ = loader_->next();
  std::vector<BatchCounts> counts;
  for (const PackedBatch& slice : batch_) {
    counts.push_back({slice.tokens(), task_flops(model_, slice), count_labels(task(), slice)});
    if (teacher_) counts.back().labels.push_back(taught_rows(slice));
  }
  return counts;
}

Var FinetuningTask::loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) {
  const PackedBatch& slice = batch_[index];
  const std::vector<Var> logits = task_logits(model_, run, slice);
  return teacher_ ? weighted_loss(run, slice, logits, scales, sums) : task_loss(task(), logits, slice, scales, sums);
}

Var FinetuningTask::weighted_loss(Run& run, const PackedBatch& batch, const std::vector<Var>& logits,
                                  std::span<const double> scales, std::span<LossSums> sums) {
  Run teaching;
  teaching.dtype = run.dtype;
  const Tensor taught = task_logits(*teacher_->model, teaching, batch)[0].value();
  std::vector<double> label_scales(scales.begin(), scales.end() - 1);
  for (double& scale : label_scales) scale *= 1 - teacher_->weight;
  std::vector<LossSums> own(sums.size());
  const auto labels = std::span(own).first(own.size() - 1);
  const Var hard = task_loss(task(), logits, batch, label_scales, labels);
  const Var soft =
      soft_cross_entropy(logits[0], taught, teacher_->temperature, scales.back() * teacher_->weight, own.back());
  for (LossSums& part : labels) part.loss *= 1 - teacher_->weight;
  own.back().loss *= teacher_->weight;
  for (size_t part = 0; part < sums.size(); ++part) sums[part] += own[part];
  return add(hard, soft);
}

std::vector<std::pair<std::string, double>> FinetuningTask::evaluate(Communicator& communicator) {
  if (!validation_) return {};
  return report_task(description_.task, *validation_, evaluate_task(model_, *validation_, communicator)).metrics;
}

ModelContent FinetuningTask::model_content() const {
  return bertha::model_content(description_, model_.parameters(), tokenizer_);
}

}  // namespace bertha
