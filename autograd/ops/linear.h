#pragma once

#include "autograd/tape.h"

namespace bertha {

/// y = x W'. Shapes: x (N, I), w (O, I), result (N, O). Saves: x, w. Throws: ShapeError unless the last dimensions
/// agree.
Var linear(const Var& x, const Var& w);

/// y = x W' + b. Shapes: as above, b (O).
Var affine(const Var& x, const Var& w, const Var& b);

}  // namespace bertha
