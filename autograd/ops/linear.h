#pragma once

#include "autograd/ops/activation.h"
#include "autograd/tape.h"

namespace bertha {

/// y = x W'. Shapes: x (N, I), w (O, I), result (N, O). Saves: x, w. Throws: ShapeError unless the last dimensions
/// agree.
Var linear(const Var& x, const Var& w);

/// y = x W' + b. Shapes: as above, b (O).
Var affine(const Var& x, const Var& w, const Var& b);

/// y = gelu(u + b) W'. Shapes: u (N, I), b (I), w (O, I), result (N, O). Saves: u, b, w; the activation is computed
/// again in backward, which costs less than keeping it.
Var bias_gelu_linear(Gelu kind, const Var& u, const Var& b, const Var& w);

}  // namespace bertha
