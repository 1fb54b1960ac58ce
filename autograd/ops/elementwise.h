#pragma once

#include "autograd/tape.h"

namespace bertha {

/// y = a + b, two tensors of one shape.
Var add(const Var& a, const Var& b);

/// The same numbers in the type that sums are kept in: bf16 as float, others as they are. Backward rounds to x's type.
Var widen(const Var& x);

}  // namespace bertha
