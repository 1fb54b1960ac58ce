#include "nn/bert_for_pretraining.h"

#include "autograd/ops/elementwise.h"

namespace bertha {

BertForPretraining::BertForPretraining(const BertConfig& config, PretrainingHeads heads)
    : config_(config), heads_(heads), bert_(Scope(parameters_, "bert"), config) {
  const Scope root(parameters_, "");
  if (heads != PretrainingHeads::kMlm) pooler_.emplace(root / "bert" / "pooler", config);
  if (heads != PretrainingHeads::kNextSentence) {
    mlm_.emplace(root / "cls" / "predictions", config, bert_.embeddings.word);
  }
  if (heads != PretrainingHeads::kMlm) next_sentence_.emplace(root / "cls" / "seq_relationship", config);
  parameters_.allocate();
}

Var BertForPretraining::loss(Run& run, const TokenInputs& inputs, const PretrainingLabels& labels,
                             const PretrainingScales& scales, PretrainingLosses& losses,
                             std::vector<double>* mlm_rows) const {
  const Var x = bert_(run, inputs);
  std::optional<Var> total;
  if (next_sentence_) {
    total = next_sentence_->loss(run, (*pooler_)(run, x), labels.next_sentence, scales.next_sentence,
                                 {.sums = &losses.next_sentence});
  }
  if (mlm_) {
    const Var mlm = mlm_->loss(run, x, labels.masked_rows, labels.masked_labels, scales.mlm,
                               {.sums = &losses.mlm, .row_losses = mlm_rows});
    total = total ? add(*total, mlm) : mlm;
  }
  return *total;
}

Var BertForPretraining::mlm_logits(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const {
  check(mlm_.has_value(), "model: it has no masked-LM head");
  return mlm_->logits(run, bert_(run, inputs), rows);
}

Var BertForPretraining::next_sentence_logits(Run& run, const TokenInputs& inputs) const {
  check(next_sentence_.has_value(), "model: it has no next-sentence head");
  return next_sentence_->logits(run, (*pooler_)(run, bert_(run, inputs)));
}

}  // namespace bertha
