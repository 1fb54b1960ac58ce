#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/batches.h"
#include "data/loader.h"
#include "train/model_directory.h"
#include "train/recipes/task_evaluation.h"
#include "train/training_task.h"

namespace bertha {

/// A model whose outputs a smaller one learns, beside the labels. Source: Hinton et al. 2015 (arXiv:1503.02531).
struct Teacher {
  std::unique_ptr<BertForTask> model;
  double temperature = 2;
  double weight = 0.5;  // of its part of the loss; the labels have the rest
};

/// Fine-tuning as the trainer sees it. With a teacher each part of the loss has its counterpart `teacher`, or
/// `teacher_PART` where there are several, and all are as they are weighted.
class FinetuningTask : public TrainingTask {
 public:
  /// All that is referred to must outlive the task. `validation` may be null.
  FinetuningTask(BertForTask& model, const ModelDescription& description, const Tokenizer& tokenizer,
                 TrainingBatches training, const TaskSet* validation, std::optional<Teacher> teacher,
                 RunIdentity identity);

  ParameterStore& parameters() override { return model_.parameters(); }
  std::span<const std::string> loss_parts() const override { return parts_; }
  bool has_accuracy() const override { return task() != Task::kRegression; }
  int64_t slices() const override { return training_.slices(); }
  void start(int64_t first_batch, IndexRange local_slices) override;
  std::vector<BatchCounts> next_batch() override;
  Var loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) override;
  std::vector<std::pair<std::string, double>> evaluate(Communicator& communicator) override;
  ModelContent model_content() const override;
  RunIdentity identity() const override { return identity_; }

 private:
  Task task() const { return description_.task.task; }
  Var weighted_loss(Run& run, const PackedBatch& batch, const std::vector<Var>& logits, std::span<const double> scales,
                    std::span<LossSums> sums);

  BertForTask& model_;
  const ModelDescription& description_;
  const Tokenizer& tokenizer_;
  TrainingBatches training_;
  const TaskSet* validation_;
  std::optional<Teacher> teacher_;
  RunIdentity identity_;
  std::vector<std::string> parts_;
  std::optional<Loader> loader_;
  std::vector<PackedBatch> batch_;  // this rank's micro-slices of the present step
};

}  // namespace bertha
