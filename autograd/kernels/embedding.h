#pragma once

#include <array>
#include <cstdint>

#include "autograd/core/dtype.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {

/// y[row] = the sum over the tables of table[ids[row]]; tables (V, cols), y (rows, cols).
template <class Isa, class T>
void embedding_sum(int64_t rows, int64_t cols, const std::array<const Precise<T>*, 3>& tables,
                   const std::array<const int32_t*, 3>& ids, T* y);

/// y[row] = x[ids[row]]; x (N, cols), y (rows, cols).
template <class Isa, class T>
void gather_rows(int64_t rows, int64_t cols, const T* x, const int32_t* ids, T* y);

/// table[ids[row]] += x[row] in the order of rows, x (rows, cols), table (table_rows, cols). Where beta is 0 all of the
/// table is zeroed first.
template <class Isa, class T, class U>
void scatter_add_rows(int64_t rows, int64_t cols, const T* x, const int32_t* ids, double beta, int64_t table_rows,
                      U* table);

}  // namespace bertha::kernels
