#include "train/recipes/finetuning_task.h"

#include "autograd/ops/elementwise.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_report.h"

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
  if (!teacher_) return;
  const std::vector<std::string> taught = parts_;
  for (const std::string& part : taught) parts_.push_back(taught.size() == 1 ? "teacher" : "teacher_" + part);
}

void FinetuningTask::start(int64_t first_batch, IndexRange local_slices) {
  loader_.emplace(training_, local_slices, first_batch);
}

std::vector<BatchCounts> FinetuningTask::next_batch() {
  batch_ = loader_->next();
  std::vector<BatchCounts> counts;
  for (const PackedBatch& slice : batch_) {
    std::vector<int64_t> labels = count_labels(task(), slice);
    const std::vector<int64_t> taught = count_taught(task(), slice);
    if (teacher_) labels.insert(labels.end(), taught.begin(), taught.end());
    counts.push_back({slice.tokens(), task_flops(model_, slice), std::move(labels)});
  }
  return counts;
}

Var FinetuningTask::loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) {
  const PackedBatch& slice = batch_[index];
  const std::vector<Var> logits = task_logits(model_, run, slice);
  return teacher_ ? weighted_loss(run, slice, logits, scales, sums) : task_loss(task(), logits, slice, scales, sums);
}

// The first half of the parts is the labels', the second the teacher's.
Var FinetuningTask::weighted_loss(Run& run, const PackedBatch& batch, const std::vector<Var>& logits,
                                  std::span<const double> scales, std::span<LossSums> sums) {
  Run teaching;
  teaching.dtype = run.dtype;
  const std::vector<Var> taught = task_logits(*teacher_->model, teaching, batch);
  const size_t half = sums.size() / 2;
  const auto weight_of = [&](size_t part) { return part < half ? 1 - teacher_->weight : teacher_->weight; };
  std::vector<double> weighted(scales.begin(), scales.end());
  for (size_t part = 0; part < weighted.size(); ++part) weighted[part] *= weight_of(part);
  std::vector<LossSums> own(sums.size());
  const auto both_scales = std::span<const double>(weighted);
  const auto both_sums = std::span(own);
  const Var hard = task_loss(task(), logits, batch, both_scales.first(half), both_sums.first(half));
  const Var soft =
      taught_loss(task(), logits, taught, batch, teacher_->temperature, both_scales.last(half), both_sums.last(half));
  for (size_t part = 0; part < sums.size(); ++part) {
    own[part].loss *= weight_of(part);
    sums[part] += own[part];
  }
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
