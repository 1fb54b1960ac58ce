#include "autograd/kernels/embedding.h"

#include <algorithm>

#include "autograd/core/parallel.h"

namespace bertha::kernels {

template <class T>
void gather_rows(int64_t rows, int64_t cols, const T* table, const int32_t* ids, T beta, T* y) {
  parallel_for(rows, 16, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = table + ids[row] * cols;
      T* to = y + row * cols;
      for (int64_t j = 0; j < cols; ++j) to[j] = from[j] + (beta == 0 ? T{0} : to[j]);
    }
  });
}

template <class T>
void scatter_add_rows(int64_t rows, int64_t cols, const T* x, const int32_t* ids, T beta, int64_t table_rows,
                      T* table) {
  if (beta == 0) {
    parallel_for(table_rows * cols, 65536,
                 [=](int64_t begin, int64_t end) { std::fill(table + begin, table + end, T{0}); });
  }
  // Threads share the columns, never the rows: two tokens of one id are added in the order of their rows.
  parallel_for(cols, 64, [=](int64_t begin, int64_t end) {
    for (int64_t row = 0; row < rows; ++row) {
      const T* from = x + row * cols;
      T* to = table + ids[row] * cols;
      for (int64_t j = begin; j < end; ++j) to[j] += from[j];
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                   \
  template void gather_rows(int64_t, int64_t, const T*, const int32_t*, T, T*); \
  template void scatter_add_rows(int64_t, int64_t, const T*, const int32_t*, T, int64_t, T*);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
