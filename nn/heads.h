#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/ops/activation.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/embedding.h"
#include "nn/bert_config.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/run.h"

namespace bertha {

/// y = tanh(W x_cls + b) of each sequence's first token. Source: Devlin et al. 2018, published code.
class Pooler {
 public:
  Pooler(const Scope& s, const BertConfig& c) : path_(s.path()), dense_(s / "dense", c.hidden_size, c.hidden_size) {}

  /// x (R, H), result (B, H) for the rows of x that hold first tokens. Offers its result under its own path.
  Var operator()(Run& run, const Var& x, std::span<const int32_t> first_tokens) const {
    const Var pooled = tanh(dense_(run, gather_rows(x, first_tokens)));
    run.observe(path_, [&] { return pooled.value(); });
    return pooled;
  }

 private:
  std::string path_;
  Linear dense_;
};

/// Masked-LM head: logits = LayerNorm(gelu(W x + b)) E' + c with E the word embeddings. Offers the LayerNorm's result
/// as `PATH.transform`. Source: Devlin et al. 2018 (arXiv:1810.04805) §3.1, published code.
class MlmHead {
 public:
  MlmHead(const Scope& s, const BertConfig& c, const Parameter& word_embeddings)
      : path_((s / "transform").path()),
        gelu_(c.gelu()),
        dense_(s / "transform" / "dense", c.hidden_size, c.hidden_size),
        norm_(s / "transform" / "LayerNorm", c.hidden_size, c.layer_norm_eps),
        decoder_(word_embeddings),
        bias_(s.bias("bias", c.vocab_size)) {}

  /// x (R, H) -> (M, V) for the rows of x asked for.
  Var logits(Run& run, const Var& x, std::span<const int32_t> rows) const {
    return affine(transform(run, x, rows), run.use(decoder_), run.use(bias_));
  }

  /// scale times the summed cross-entropy of `labels` (M) at `rows` (M).
  Var loss(Run& run, const Var& x, std::span<const int32_t> rows, std::span<const int32_t> labels, double scale,
           const CrossEntropyOutputs& outputs) const {
    return linear_cross_entropy(transform(run, x, rows), run.use(decoder_), run.use(bias_), labels, scale, outputs);
  }

 private:
  Var transform(Run& run, const Var& x, std::span<const int32_t> rows) const {
    const Var y = linear(gather_rows(x, rows), run.use(dense_.weight));
    const Var transformed = layer_norm(bias_gelu(gelu_, y, run.use(dense_.bias)), norm_.use(run));
    run.observe(path_, [&] { return transformed.value(); });
    return transformed;
  }

  std::string path_;
  Gelu gelu_;
  Linear dense_;
  LayerNorm norm_;
  const Parameter& decoder_;
  const Parameter& bias_;
};

/// Next-sentence head on the pooled first token: class 0 "B follows A", 1 "B is from elsewhere".
class NextSentenceHead {
 public:
  NextSentenceHead(const Scope& s, const BertConfig& c) : classifier_(s, c.hidden_size, 2) {}

  /// pooled (B, H), result (B, 2).
  Var logits(Run& run, const Var& pooled) const { return classifier_(run, pooled); }

  /// scale times the summed cross-entropy of `labels` (B).
  Var loss(Run& run, const Var& pooled, std::span<const int32_t> labels, double scale,
           const CrossEntropyOutputs& outputs) const {
    return linear_cross_entropy(pooled, run.use(classifier_.weight), run.use(classifier_.bias), labels, scale, outputs);
  }

 private:
  Linear classifier_;
};

}  // namespace bertha
