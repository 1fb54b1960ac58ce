#include "train/recipes/pretraining_task.h"

#include "nn/flops.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_batch.h"
#include "train/recipes/pretraining_evaluation.h"

namespace bertha {

PretrainingTask::PretrainingTask(BertForPretraining& model, const WordPiece& tokenizer, TrainingBatches training,
                                 std::optional<EvaluationBatches> evaluation, const RunIdentity& identity)
    : model_(model),
      tokenizer_(tokenizer),
      training_(std::move(training)),
      evaluation_(std::move(evaluation)),
      identity_(identity),
      parts_{"mlm"} {
  if (model.heads() == Head::kMlmAndNextSentence) parts_.push_back("nsp");
}

void PretrainingTask::start(int64_t first_batch, IndexRange local_slices) {
  loader_.emplace(training_, local_slices, first_batch);
}

std::vector<BatchCounts> PretrainingTask::next_batch() {
  batch_ = loader_->next();
  std::vector<BatchCounts> counts;
  for (const PackedBatch& slice : batch_) {
    counts.push_back({slice.tokens(),
                      pretraining_flops(model_.config(), slice.cu_seqlens, slice.labelled()),
                      {slice.labelled(), slice.sequences()}});
    counts.back().labels.resize(parts_.size());
  }
  return counts;
}

Var PretrainingTask::loss(Run& run, size_t index, std::span<const double> scales, std::span<LossSums> sums) {
  const PackedBatch& slice = batch_[index];
  set_sequences(run, slice);
  const PretrainingScales pretraining_scales = {scales[0], scales.size() > 1 ? scales[1] : 0};
  PretrainingLosses losses;
  const Var loss =
      model_.loss(run, token_inputs(slice), pretraining_labels(slice), pretraining_scales, losses, nullptr);
  sums[0] += losses.mlm;
  if (sums.size() > 1) sums[1] += losses.next_sentence;
  return loss;
}

std::vector<std::pair<std::string, double>> PretrainingTask::evaluate(Communicator& communicator) {
  if (!evaluation_) return {};
  return evaluation_metrics(model_, evaluate_pretraining(model_, *evaluation_, communicator, {}));
}

ModelContent PretrainingTask::model_content() const {
  return bertha::model_content({model_.config(), model_.heads(), {}}, model_.parameters(), tokenizer_);
}

}  // namespace bertha
