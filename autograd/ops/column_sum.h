#pragma once

#include "autograd/tape.h"

namespace bertha {

/// The gradient of a bias that was added to every row: the column sums of dy (N, O), into `bias` (O) if it is wanted.
void add_column_sum(const Tensor& dy, const GradientEntry& bias);

}  // namespace bertha
