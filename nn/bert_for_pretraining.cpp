#include "nn/bert_for_pretraining.h"

#include "autograd/ops/elementwise.h"
#include "nn/head_rows.h"
#include "nn/published_names.h"

namespace bertha {

BertForPretraining::BertForPretraining(const BertConfig& config, Head heads)
    : config_(config),
      heads_(heads),
      parameters_(published_naming(config.family, heads)),
      bert_(Scope(parameters_, "bert"), config) {
  const Scope root(parameters_, "");
  if (heads != Head::kMlm) pooler_.emplace(root / "bert" / "pooler", config);
  if (heads != Head::kNextSentence) {
    mlm_.emplace(root / "cls" / "predictions", config, bert_.embeddings.word);
  }
  if (heads != Head::kMlm) next_sentence_.emplace(root / "cls" / "seq_relationship", config);
  parameters_.allocate();
}

Var BertForPretraining::loss(Run& run, const TokenInputs& inputs, const PretrainingLabels& labels,
                             const PretrainingScales& scales, PretrainingLosses& losses,
                             std::vector<double>* mlm_rows) const {
  HeadRows head_rows;
  if (next_sentence_) head_rows.add(run.first_tokens());
  if (mlm_) head_rows.add(labels.masked_rows);
  const Var x = bert_(run, inputs, head_rows.rows());
  std::optional<Var> total;
  if (next_sentence_) {
    const Var pooled = (*pooler_)(run, x, head_rows.places(run.first_tokens()));
    total =
        next_sentence_->loss(run, pooled, labels.next_sentence, scales.next_sentence, {.sums = &losses.next_sentence});
  }
  if (mlm_) {
    const Var mlm = mlm_->loss(run, x, head_rows.places(labels.masked_rows), labels.masked_labels, scales.mlm,
                               {.sums = &losses.mlm, .row_losses = mlm_rows});
    total = total ? add(*total, mlm) : mlm;
  }
  return *total;
}

Var BertForPretraining::mlm_logits(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const {
  check(mlm_.has_value(), "model: it has no masked-LM head");
  HeadRows head_rows;
  head_rows.add(rows);
  return mlm_->logits(run, bert_(run, inputs, head_rows.rows()), head_rows.places(rows));
}

Var BertForPretraining::next_sentence_logits(Run& run, const TokenInputs& inputs) const {
  check(next_sentence_.has_value(), "model: it has no next-sentence head");
  HeadRows head_rows;
  head_rows.add(run.first_tokens());
  const Var x = bert_(run, inputs, head_rows.rows());
  return next_sentence_->logits(run, (*pooler_)(run, x, head_rows.places(run.first_tokens())));
}

}  // namespace bertha
