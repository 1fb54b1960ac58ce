#pragma once

#include "autograd/kernels/dropout.h"
#include "autograd/tape.h"

namespace bertha {

using kernels::Dropout;

/// y = x with each element zeroed with probability p and the others scaled by 1 / (1 - p).
/// Shapes: x, result (N, H). Saves: nothing; the mask is drawn again. `dropout.row_keys` (N) must outlive backward.
Var dropout(const Dropout& dropout, const Var& x);

}  // namespace bertha
