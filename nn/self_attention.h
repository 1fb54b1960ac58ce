#pragma once

#include <array>
#include <string>
#include <string_view>

#include "autograd/ops/attention.h"
#include "autograd/ops/embedding.h"
#include "nn/bert_config.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/run.h"

namespace bertha {

/// Self-attention block, y = LayerNorm(x + Dropout(Wo attention(Wq x, Wk x, Wv x) + bo)).
/// Query, key and value are one (3H, H) tensor here and three in files.
/// Source: Vaswani et al. 2017 (arXiv:1706.03762) §3.2; post-norm as in Devlin et al. 2018 (arXiv:1810.04805).
class SelfAttention {
 public:
  SelfAttention(const Scope& s, const BertConfig& c)
      : path_((s / "self").path()),
        heads_(c.num_attention_heads),
        qkv_weight_((s / "self").stacked(kProjections, "weight", {c.hidden_size, c.hidden_size}, Init::kNormal)),
        qkv_bias_((s / "self").stacked(kProjections, "bias", {c.hidden_size}, Init::kZeros)),
        output_(s / "output" / "dense", c.hidden_size, c.hidden_size),
        norm_(s / "output" / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        probability_dropout_(s / "self" / "dropout", c.attention_probs_dropout_prob),
        output_dropout_(s / "output" / "dropout", c.hidden_dropout_prob) {}

  /// x (N, H); result (R, H) for the rows that are wanted. Offers `PATH.self.projections` (N, 3H), which are query, key
  /// and value, and `PATH.self.probabilities`, for each sequence in turn (A, n, n).
  Var operator()(Run& run, const Var& x, const RowSet& wanted) const {
    const Var qkv = affine(x, run.use(qkv_weight_), run.use(qkv_bias_));
    run.observe(path_ + ".projections", [&] { return qkv.value(); });
    run.observe(path_ + ".probabilities", [&] { return attention_probabilities(heads_, run.cu_seqlens, qkv.value()); });
    const Dropout probability_dropout = run.dropout(probability_dropout_, run.row_keys);
    const Var context = attention(probability_dropout, heads_, run.cu_seqlens, wanted.rows, qkv);
    const Var residual = wanted.rows.empty() ? x : gather_rows(x, wanted.rows);
    const Var projected = linear(context, run.use(output_.weight));
    return dropout_add_layer_norm(run.dropout(output_dropout_, wanted.keys), projected, run.use(output_.bias), residual,
                                  norm_.use(run));
  }

 private:
  static constexpr std::array<std::string_view, 3> kProjections = {"query", "key", "value"};

  std::string path_;
  int64_t heads_;
  const Parameter& qkv_weight_;
  const Parameter& qkv_bias_;
  Linear output_;
  LayerNorm norm_;
  DropoutSite probability_dropout_, output_dropout_;
};

}  // namespace bertha
