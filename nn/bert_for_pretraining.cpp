#include "nn/bert_for_pretraining.h"

#include <algorithm>

#include "autograd/ops/elementwise.h"

namespace bertha {
namespace {

// The rows that some head reads, and where each head finds its own among their hidden states.
class HeadRows {
 public:
  void add(std::span<const int32_t> rows) {
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    std::ranges::sort(rows_);
    rows_.erase(std::ranges::unique(rows_).begin(), rows_.end());
  }
  std::span<const int32_t> rows() const { return rows_; }

  std::vector<int32_t> places(std::span<const int32_t> rows) const {
    std::vector<int32_t> result;
    for (const int32_t row : rows) {
      result.push_back(static_cast<int32_t>(std::ranges::lower_bound(rows_, row) - rows_.begin()));
    }
    return result;
  }

 private:
  std::vector<int32_t> rows_;
};

std::span<const int32_t> first_tokens(const Run& run) {
  return run.cu_seqlens.first(run.cu_seqlens.size() - 1);
}

}  // namespace

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
  HeadRows head_rows;
  if (next_sentence_) head_rows.add(first_tokens(run));
  if (mlm_) head_rows.add(labels.masked_rows);
  const Var x = bert_(run, inputs, head_rows.rows());
  std::optional<Var> total;
  if (next_sentence_) {
    const Var pooled = (*pooler_)(run, x, head_rows.places(first_tokens(run)));
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
  head_rows.add(first_tokens(run));
  const Var x = bert_(run, inputs, head_rows.rows());
  return next_sentence_->logits(run, (*pooler_)(run, x, head_rows.places(first_tokens(run))));
}

}  // namespace bertha
