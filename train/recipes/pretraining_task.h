#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/batches.h"
#include "data/loader.h"
#include "data/wordpiece.h"
#include "nn/bert_for_pretraining.h"
#include "train/training_task.h"

namespace bertha {

/// Masked-LM, and next-sentence, pretraining as the trainer sees it.
class PretrainingTask : public TrainingTask {
 public:
  /// `model` and `tokenizer` must outlive the task.
  PretrainingTask(BertForPretraining& model, const WordPiece& tokenizer, TrainingBatches training,
                  std::optional<EvaluationBatches> evaluation, const RunIdentity& identity);

  ParameterStore& parameters() override { return model_.parameters(); }
  std::span<const std::string> loss_parts() const override { return parts_; }
  bool has_accuracy() const override { return true; }
  int64_t slices() const override { return training_.slices(); }
  void start(int64_t first_batch, IndexRange local_slices) override;
  std::vector<BatchCounts> next_batch() override;
  Var loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) override;
  std::vector<std::pair<std::string, double>> evaluate(Communicator& communicator) override;
  ModelContent model_content() const override;
  RunIdentity identity() const override { return identity_; }

 private:
  BertForPretraining& model_;
  const WordPiece& tokenizer_;
  TrainingBatches training_;
  std::optional<EvaluationBatches> evaluation_;
  RunIdentity identity_;
  std::vector<std::string> parts_;
  std::optional<Loader> loader_;
  std::vector<PackedBatch> batch_;  // this rank's micro-slices of the present step
};

}  // namespace bertha
