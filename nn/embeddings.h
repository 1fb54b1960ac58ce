#pragma once

#include <span>

#include "autograd/ops/dropout.h"
#include "autograd/ops/embedding.h"
#include "nn/bert_config.h"
#include "nn/layer_norm.h"
#include "nn/run.h"

namespace bertha {

/// What identifies each of N packed tokens to the model; its position follows from where its sequence begins.
struct TokenInputs {
  std::span<const int32_t> ids;       // (N)
  std::span<const int32_t> type_ids;  // (N): 0 first text of a pair, 1 second, whatever types the model has
};

/// y = Dropout(LayerNorm(word + position + token type)). Source: Devlin et al. 2018 (arXiv:1810.04805) §3.2.
class Embeddings {
 public:
  Embeddings(const Scope& s, const BertConfig& c)
      : word((s / "word_embeddings").weight("weight", {c.vocab_size, c.hidden_size})),
        position_((s / "position_embeddings").weight("weight", {c.max_position_embeddings, c.hidden_size})),
        first_position_(c.first_position()),
        token_type_(token_types(s, c)),
        norm_(s / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        dropout_(s / "dropout", c.hidden_dropout_prob) {
    if (!token_type_) no_types_ = Var(Tensor::zeros({2, c.hidden_size}, DType::f32));
  }

  /// Result (N, H).
  Var operator()(Run& run, const TokenInputs& x) const {
    const Var word_table = run.use(word);
    const Var position_table = run.use(position_);
    const Var token_type_table = types_of_pair(run);
    const Var sum = embedding_sum(run.dtype, {word_table, x.ids}, {position_table, run.position_ids(first_position_)},
                                  {token_type_table, x.type_ids});
    return dropout(run.dropout(dropout_, run.row_keys), layer_norm(sum, norm_.use(run)));
  }

  const Parameter& word;  // (V, H), also the MLM decoder's weight

 private:
  static const Parameter* token_types(const Scope& s, const BertConfig& c) {
    if (c.type_vocab_size == 0) return nullptr;
    return &(s / "token_type_embeddings").weight("weight", {c.type_vocab_size, c.hidden_size});
  }

  // A row for each text of a pair; a model of one type has the same for both.
  Var types_of_pair(Run& run) const {
    if (!token_type_) return no_types_;
    const Var table = run.use(*token_type_);
    constexpr int32_t kOneType[] = {0, 0};
    return table.rows() == 1 ? gather_rows(table, kOneType) : table;
  }

  const Parameter& position_;
  int64_t first_position_;
  const Parameter* token_type_;
  Var no_types_;  // in its place
  LayerNorm norm_;
  DropoutSite dropout_;
};

}  // namespace bertha
