#pragma once

#include "autograd/kernels/activation.h"
#include "autograd/tape.h"

namespace bertha {

using kernels::Gelu;

/// y = gelu(x + b). Source: Hendrycks and Gimpel 2016 (arXiv:1606.08415). Shapes: x, result (N, F), b (F). Saves: x, b.
Var bias_gelu(Gelu kind, const Var& x, const Var& b);

/// y = tanh(x), any shape. Saves: y.
Var tanh(const Var& x);

/// y = max(x, 0), any shape. Saves: y.
Var relu(const Var& x);

}  // namespace bertha
