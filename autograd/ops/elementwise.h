#pragma once

#include "autograd/tape.h"

namespace bertha {

/// y = a + b, two tensors of one shape.
Var add(const Var& a, const Var& b);

}  // namespace bertha
