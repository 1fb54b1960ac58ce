#pragma once

#include <cstdint>

namespace bertha::kernels {

/// y[row] = table[ids[row]] + beta y[row]; table (V, cols), y (rows, cols).
template <class T>
void gather_rows(int64_t rows, int64_t cols, const T* table, const int32_t* ids, T beta, T* y);

/// table[ids[row]] += x[row] in the order of rows, x (rows, cols), table (table_rows, cols). Where beta is 0 all of the
/// table is zeroed first.
template <class T>
void scatter_add_rows(int64_t rows, int64_t cols, const T* x, const int32_t* ids, T beta, int64_t table_rows, T* table);

}  // namespace bertha::kernels
