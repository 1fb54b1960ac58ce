#include "autograd/kernels/elementwise.h"

#include <cstring>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

constexpr int64_t kGrain = 16384;

}  // namespace

template <class T>
void accumulate(int64_t n, const T* x, T beta, T* y) {
  parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    if (beta == 0) {
      std::memcpy(y + begin, x + begin, static_cast<size_t>(end - begin) * sizeof(T));
    } else {
      for (int64_t i = begin; i < end; ++i) y[i] += x[i];
    }
  });
}

template <class T>
void add(int64_t n, const T* a, const T* b, T* y) {
  parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = a[i] + b[i];
  });
}

template <class T>
void fill_rows(int64_t rows, int64_t cols, const T* bias, T* y) {
  parallel_for(rows, 16, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      std::memcpy(y + row * cols, bias, static_cast<size_t>(cols) * sizeof(T));
  });
}

template <class T>
void column_sum(int64_t rows, int64_t cols, const T* x, T beta, T* y) {
  constexpr int kVectors = 8;
  constexpr int64_t kStripe = kVectors * simd::kWidth<T>;
  parallel_for(cols, kStripe, [=](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kStripe) {
      const int64_t width = std::min(kStripe, end - first);
      T sums[kStripe] = {};
      for (int64_t row = 0; row < rows; ++row) {
        const T* values = x + row * cols + first;
        for (int64_t j = 0; j < width; ++j) sums[j] += values[j];
      }
      for (int64_t j = 0; j < width; ++j) y[first + j] = sums[j] + (beta == 0 ? T{0} : y[first + j]);
    }
  });
}

#define BERTHA_INSTANTIATE(T)                              \
  template void accumulate(int64_t, const T*, T, T*);      \
  template void add(int64_t, const T*, const T*, T*);      \
  template void fill_rows(int64_t, int64_t, const T*, T*); \
  template void column_sum(int64_t, int64_t, const T*, T, T*);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
