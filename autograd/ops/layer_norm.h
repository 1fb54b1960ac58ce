#pragma once

#include "autograd/ops/dropout.h"
#include "autograd/tape.h"

namespace bertha {

/// Scale and shift of a LayerNorm, and the epsilon under its square root.
struct LayerNormWeights {
  Var gain, bias;  // (H)
  double epsilon;
};

/// y = gain (x - mean) / sqrt(variance + epsilon) + bias over the last dimension.
/// Source: Ba et al. 2016 (arXiv:1607.06450). Shapes: x, result (N, H). Saves: the normalised rows, one number a row.
Var layer_norm(const Var& x, const LayerNormWeights& norm);

/// y = layer_norm(residual + dropout(x + x_bias)) in one pass. Shapes: x, residual, result (N, H), x_bias (H).
/// Saves: the normalised rows, one number a row; the mask is drawn again. `dropout.row_keys` (N) must outlive backward.
Var dropout_add_layer_norm(const Dropout& dropout, const Var& x, const Var& x_bias, const Var& residual,
                           const LayerNormWeights& norm);

}  // namespace bertha
