#pragma once

#include "autograd/ops/linear.h"
#include "nn/run.h"

namespace bertha {

/// y = x W' + b with W (out, in) as published.
class Linear {
 public:
  Linear(const Scope& s, int64_t in, int64_t out) : weight(s.weight("weight", {out, in})), bias(s.bias("bias", out)) {}

  /// x (N, in), result (N, out).
  Var operator()(Run& run, const Var& x) const { return affine(x, run.use(weight), run.use(bias)); }

  const Parameter& weight;
  const Parameter& bias;
};

}  // namespace bertha
