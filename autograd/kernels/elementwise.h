#pragma once

#include <cstdint>

#include "autograd/core/dtype.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {

/// y = factor x + beta y; beta is 0 (overwrite whatever y held) or 1. y may be x.
template <class Isa, class T>
void accumulate(int64_t n, double factor, const T* x, double beta, T* y);

/// y = a + b.
template <class Isa, class T>
void add(int64_t n, const T* a, const T* b, T* y);

/// y[j] = sum of column j of x (rows, cols), + beta y[j]. The order of summation depends on the shape only.
template <class Isa, class T>
void column_sum(int64_t rows, int64_t cols, const T* x, double beta, Precise<T>* y);

}  // namespace bertha::kernels
