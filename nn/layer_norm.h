#pragma once

#include "autograd/ops/layer_norm.h"
#include "nn/run.h"

namespace bertha {

/// LayerNorm's published parameters, `weight` (the gain) and `bias`.
class LayerNorm {
 public:
  LayerNorm(const Scope& s, int64_t size, double epsilon)
      : weight_(s.gain("weight", size)), bias_(s.bias("bias", size)), epsilon_(epsilon) {}

  LayerNormWeights use(Run& run) const { return {run.use(weight_), run.use(bias_), epsilon_}; }

 private:
  const Parameter& weight_;
  const Parameter& bias_;
  double epsilon_;
};

}  // namespace bertha
