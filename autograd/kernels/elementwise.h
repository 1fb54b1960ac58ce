#pragma once

#include <cstdint>

namespace bertha::kernels {

/// y = x + beta y; beta is 0 (overwrite whatever y held) or 1.
template <class T>
void accumulate(int64_t n, const T* x, T beta, T* y);

/// y = a + b.
template <class T>
void add(int64_t n, const T* a, const T* b, T* y);

/// Every row of y (rows, cols) becomes `bias`.
template <class T>
void fill_rows(int64_t rows, int64_t cols, const T* bias, T* y);

/// y[j] = sum of column j of x (rows, cols), + beta y[j]. The order of summation depends on the shape only.
template <class T>
void column_sum(int64_t rows, int64_t cols, const T* x, T beta, T* y);

}  // namespace bertha::kernels
