#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/batches.h"
#include "data/vocabulary.h"
#include "nn/bert_for_pretraining.h"
#include "train/comm/communicator.h"

namespace bertha {

/// Sequences in one batch of an evaluation; fixed, so that results do not depend on ranks or the training batch.
inline constexpr int64_t kEvaluationBatchSize = 16;

/// Summed losses over all batches, dealt to the ranks; the same on every rank, and the same bits on any number of them.
/// on_batch sees each batch of this rank with one MLM loss a masked row. Collective.
PretrainingLosses evaluate_pretraining(
    const BertForPretraining& model, const EvaluationBatches& batches, Communicator& communicator,
    const std::function<void(const PackedBatch& batch, std::span<const double> mlm_rows)>& on_batch);

/// The sums as named metrics: loss, mlm_loss, perplexity, mlm_accuracy, nsp_loss, nsp_accuracy, those that apply.
std::vector<std::pair<std::string, double>> evaluation_metrics(const BertForPretraining& model,
                                                               const PretrainingLosses& losses);

/// Cross-entropy in nats a token of held-out text under the training text's token frequencies, special tokens left out,
/// one added to every count: the plateau a model reaches that has learnt frequencies and nothing else.
double unigram_cross_entropy(const Tokenizer& tokenizer, std::span<const int64_t> training_counts,
                             std::span<const int64_t> held_out_counts);

}  // namespace bertha
