#include "autograd/kernels/dropout.h"

#include "autograd/core/parallel.h"
#include "autograd/kernels/dropout_factors.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {

template <class Isa, class T>
void dropout(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, double beta, T* y) {
  using simd::Vec;
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * cols;
      for_each_kept<Precise<T>>(dropout, row, 0, cols, [&](int64_t j, Vec<T> factors, int64_t count) {
        Vec<T> v = simd::load(x + at + j, count) * factors;
        if (beta != 0) v += simd::load(y + at + j, count);
        simd::store(y + at + j, v, count);
      });
    }
  });
}

#define BERTHA_INSTANTIATE(T) template void dropout<BERTHA_ISA>(const Dropout&, int64_t, int64_t, const T*, double, T*);
BERTHA_INSTANTIATE_ALL

}  // namespace bertha::kernels
