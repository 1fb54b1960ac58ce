#pragma once

#include "nn/feed_forward.h"
#include "nn/self_attention.h"

namespace bertha {

/// One layer of the encoder: self-attention, then feed-forward.
class EncoderLayer {
 public:
  EncoderLayer(const Scope& s, const BertConfig& c)
      : path_(s.path()), attention_(s / "attention", c), feed_forward_(s, c) {}

  /// x (N, H); result (R, H) for the rows that are wanted. Offers what attention gives, as `PATH.attention`, and its
  /// result under its own path.
  Var operator()(Run& run, const Var& x, const RowSet& wanted) const {
    const Var attended = attention_(run, x, wanted);
    run.observe(path_ + ".attention", [&] { return attended.value(); });
    const Var y = feed_forward_(run, attended, wanted);
    run.observe(path_, [&] { return y.value(); });
    return y;
  }

 private:
  std::string path_;
  SelfAttention attention_;
  FeedForward feed_forward_;
};

}  // namespace bertha
