#include "autograd/kernels/embedding.h"

#include <algorithm>
#include <cstring>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {

template <class Isa, class T>
void embedding_sum(int64_t rows, int64_t cols, const std::array<const Precise<T>*, 3>& tables,
                   const std::array<const int32_t*, 3>& ids, T* y) {
  parallel_for(rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const Precise<T>* a = tables[0] + ids[0][row] * cols;
      const Precise<T>* b = tables[1] + ids[1][row] * cols;
      const Precise<T>* c = tables[2] + ids[2][row] * cols;
      for (int64_t j = 0; j < cols; j += simd::kWidth<T>) {
        const int64_t count = cols - j;
        const auto sum = simd::load(a + j, count) + simd::load(b + j, count) + simd::load(c + j, count);
        simd::store(y + row * cols + j, sum, count);
      }
    }
  });
}

template <class Isa, class T>
void gather_rows(int64_t rows, int64_t cols, const T* x, const int32_t* ids, T* y) {
  parallel_for(rows, 16, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::memcpy(y + row * cols, x + ids[row] * cols, static_cast<size_t>(cols) * sizeof(T));
    }
  });
}

template <class Isa, class T, class U>
void scatter_add_rows(int64_t rows, int64_t cols, const T* x, const int32_t* ids, double beta, int64_t table_rows,
                      U* table) {
  if (beta == 0) {
    parallel_for(table_rows * cols, 65536,
                 [=](int64_t begin, int64_t end) { std::fill(table + begin, table + end, U{}); });
  }
  // Threads share the columns, never the rows: two tokens of one id are added in the order of their rows.
  parallel_for(cols, 64, [=](int64_t begin, int64_t end) {
    for (int64_t row = 0; row < rows; ++row) {
      const T* from = x + row * cols;
      U* to = table + ids[row] * cols;
      for (int64_t j = begin; j < end; j += simd::kWidth<T>) {
        simd::store(to + j, simd::load(to + j, end - j) + simd::load(from + j, end - j), end - j);
      }
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                                        \
  template void embedding_sum<BERTHA_ISA>(int64_t, int64_t, const std::array<const Precise<T>*, 3>&, \
                                          const std::array<const int32_t*, 3>&, T*);                 \
  template void gather_rows<BERTHA_ISA>(int64_t, int64_t, const T*, const int32_t*, T*);             \
  template void scatter_add_rows<BERTHA_ISA>(int64_t, int64_t, const T*, const int32_t*, double, int64_t, T*);
BERTHA_INSTANTIATE_ALL
#ifdef __AVX512BF16__
template void scatter_add_rows<Avx512>(int64_t, int64_t, const bfloat16*, const int32_t*, double, int64_t, float*);
#endif

}  // namespace bertha::kernels
