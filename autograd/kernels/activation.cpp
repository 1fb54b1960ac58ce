#include "autograd/kernels/activation.h"

#include <algorithm>
#include <numbers>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

constexpr double kTanhScale = 0.79788456080286535588;  // sqrt(2 / pi)
constexpr double kTanhCubic = 0.044715;

template <Gelu kind, class T>
Vec<T> gelu(Vec<T> x) {
  if constexpr (kind == Gelu::kErf) {
    constexpr T kInverseSqrt2 = static_cast<T>(1 / std::numbers::sqrt2);
    return T{0.5} * x * (T{1} + simd::erf(x * kInverseSqrt2));
  } else {
    const Vec<T> inner = static_cast<T>(kTanhScale) * x * (T{1} + static_cast<T>(kTanhCubic) * x * x);
    return T{0.5} * x * (T{1} + simd::tanh(inner));
  }
}

template <Gelu kind, class T>
Vec<T> gelu_derivative(Vec<T> x) {
  if constexpr (kind == Gelu::kErf) {
    constexpr T kInverseSqrt2 = static_cast<T>(1 / std::numbers::sqrt2);
    constexpr T kInverseSqrt2Pi = static_cast<T>(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
    const Vec<T> cdf = T{0.5} * (T{1} + simd::erf(x * kInverseSqrt2));
    return cdf + x * kInverseSqrt2Pi * simd::exp(T{-0.5} * x * x);
  } else {
    const Vec<T> cube = static_cast<T>(kTanhCubic) * x * x;
    const Vec<T> t = simd::tanh(static_cast<T>(kTanhScale) * x * (T{1} + cube));
    return T{0.5} * (T{1} + t) + T{0.5} * x * (T{1} - t * t) * static_cast<T>(kTanhScale) * (T{1} + T{3} * cube);
  }
}

template <Gelu kind, class T>
void bias_gelu_rows(int64_t begin, int64_t end, int64_t cols, const T* x, const T* bias, T* y) {
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t j = 0; j < cols; j += simd::kWidth<T>) {
      const int64_t at = row * cols + j;
      const int64_t count = cols - j;
      simd::store(y + at, gelu<kind, T>(simd::load(x + at, count) + simd::load(bias + j, count)), count);
    }
  }
}

template <Gelu kind, class T>
void bias_gelu_backward_rows(int64_t begin, int64_t end, int64_t cols, const T* x, const T* bias, const T* dy, T* dx) {
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t j = 0; j < cols; j += simd::kWidth<T>) {
      const int64_t at = row * cols + j;
      const int64_t count = cols - j;
      const Vec<T> slope = gelu_derivative<kind, T>(simd::load(x + at, count) + simd::load(bias + j, count));
      simd::store(dx + at, simd::load(dy + at, count) * slope, count);
    }
  }
}

}  // namespace

template <class T>
void bias_gelu(Gelu kind, int64_t rows, int64_t cols, const T* x, const T* bias, T* y) {
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    kind == Gelu::kErf ? bias_gelu_rows<Gelu::kErf>(begin, end, cols, x, bias, y)
                       : bias_gelu_rows<Gelu::kTanh>(begin, end, cols, x, bias, y);
  });
}

template <class T>
void bias_gelu_backward(Gelu kind, int64_t rows, int64_t cols, const T* x, const T* bias, const T* dy, T* dx) {
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    kind == Gelu::kErf ? bias_gelu_backward_rows<Gelu::kErf>(begin, end, cols, x, bias, dy, dx)
                       : bias_gelu_backward_rows<Gelu::kTanh>(begin, end, cols, x, bias, dy, dx);
  });
}

template <class T>
void tanh(int64_t n, const T* x, T* y) {
  parallel_for(n, 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += simd::kWidth<T>) {
      simd::store(y + i, simd::tanh(simd::load(x + i, end - i)), end - i);
    }
  });
}

template <class T>
void tanh_backward(int64_t n, const T* y, const T* dy, T beta, T* dx) {
  parallel_for(n, 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) dx[i] = dy[i] * (1 - y[i] * y[i]) + (beta == 0 ? T{0} : dx[i]);
  });
}

#define BERTHA_INSTANTIATE(T)                                                                 \
  template void bias_gelu(Gelu, int64_t, int64_t, const T*, const T*, T*);                    \
  template void bias_gelu_backward(Gelu, int64_t, int64_t, const T*, const T*, const T*, T*); \
  template void tanh(int64_t, const T*, T*);                                                  \
  template void tanh_backward(int64_t, const T*, const T*, T, T*);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
