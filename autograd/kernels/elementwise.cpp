#include "autograd/kernels/elementwise.h"

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

// Calls f(place, elements there) for vector after vector.
template <class T, class F>
void for_each_vector(int64_t n, F&& f) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += simd::kWidth<T>) f(i, end - i);
  });
}

}  // namespace

template <class Isa, class T>
void accumulate(int64_t n, double factor, const T* x, double beta, T* y) {
  const auto f = static_cast<Precise<T>>(factor);
  for_each_vector<T>(n, [=](int64_t i, int64_t count) {
    Vec<T> v = f * simd::load(x + i, count);
    if (beta != 0) v += simd::load(y + i, count);
    simd::store(y + i, v, count);
  });
}

template <class Isa, class T>
void add(int64_t n, const T* a, const T* b, T* y) {
  for_each_vector<T>(n, [=](int64_t i, int64_t count) {
    simd::store(y + i, simd::load(a + i, count) + simd::load(b + i, count), count);
  });
}

template <class Isa, class T>
void column_sum(int64_t rows, int64_t cols, const T* x, double beta, Precise<T>* y) {
  constexpr int kVectors = 8;
  constexpr int64_t kStripe = kVectors * simd::kWidth<T>;
  parallel_for(cols, kStripe, [=](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kStripe) {
      const int64_t width = std::min(kStripe, end - first);
      Vec<T> sums[kVectors] = {};
      for (int64_t row = 0; row < rows; ++row) {
        const T* values = x + row * cols + first;
        for (int v = 0; v < kVectors && v * simd::kWidth<T> < width; ++v) {
          sums[v] += simd::load(values + v * simd::kWidth<T>, width - v * simd::kWidth<T>);
        }
      }
      for (int64_t j = 0; j < width; j += simd::kWidth<T>) {
        Vec<T> sum = sums[j / simd::kWidth<T>];
        if (beta != 0) sum += simd::load(y + first + j, width - j);
        simd::store(y + first + j, sum, width - j);
      }
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                  \
  template void accumulate<BERTHA_ISA>(int64_t, double, const T*, double, T*); \
  template void add<BERTHA_ISA>(int64_t, const T*, const T*, T*);              \
  template void column_sum<BERTHA_ISA>(int64_t, int64_t, const T*, double, Precise<T>*);
BERTHA_INSTANTIATE_ALL

}  // namespace bertha::kernels
