#pragma once

#include "autograd/ops/activation.h"
#include "nn/bert_config.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/run.h"

namespace bertha {

/// Position-wise feed-forward block, y = LayerNorm(x + Dropout(W2 gelu(W1 x + b1) + b2)).
/// Source: Vaswani et al. 2017 (arXiv:1706.03762) §3.3; post-norm as in Devlin et al. 2018 (arXiv:1810.04805).
class FeedForward {
 public:
  FeedForward(const Scope& s, const BertConfig& c)
      : gelu_(c.gelu()),
        intermediate_(s / "intermediate" / "dense", c.hidden_size, c.intermediate_size),
        output_(s / "output" / "dense", c.intermediate_size, c.hidden_size),
        norm_(s / "output" / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        dropout_(s / "output" / "dropout", c.hidden_dropout_prob) {}

  /// x, result (R, H): the rows of the batch that `rows` names.
  Var operator()(Run& run, const Var& x, const RowSet& rows) const {
    const Var u = linear(x, run.use(intermediate_.weight));
    const Var y = bias_gelu_linear(gelu_, u, run.use(intermediate_.bias), run.use(output_.weight));
    return dropout_add_layer_norm(run.dropout(dropout_, rows.keys), y, run.use(output_.bias), /*residual=*/x,
                                  norm_.use(run));
  }

 private:
  Gelu gelu_;
  Linear intermediate_, output_;
  LayerNorm norm_;
  DropoutSite dropout_;
};

}  // namespace bertha
