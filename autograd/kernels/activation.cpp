#include "autograd/kernels/activation.h"

#include <algorithm>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

constexpr double kTanhScale = 0.79788456080286535588;  // sqrt(2 / pi)
constexpr double kTanhCubic = 0.044715;

template <class T>
struct GeluValues {
  Vec<T> value, slope;
};

// gelu(x) and, for free beside it, gelu'(x).
template <Gelu kind, class T>
[[gnu::always_inline]] inline GeluValues<T> gelu(Vec<T> x) {
  if constexpr (kind == Gelu::kErf) {
    const auto [cdf, density] = simd::normal(x);
    return {x * cdf, cdf + x * density};
  } else {
    const Vec<T> cube = static_cast<T>(kTanhCubic) * x * x;
    const Vec<T> t = simd::tanh(static_cast<T>(kTanhScale) * x * (T{1} + cube));
    const Vec<T> cdf = T{0.5} * (T{1} + t);
    return {x * cdf, cdf + T{0.5} * x * (T{1} - t * t) * static_cast<T>(kTanhScale) * (T{1} + T{3} * cube)};
  }
}

// Calls f(place, column, elements there) for vector after vector of the rows.
template <class T, class F>
void for_each_vector(int64_t rows, int64_t cols, F&& f) {
  parallel_for(rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t j = 0; j < cols; j += simd::kWidth<T>) f(row * cols + j, j, cols - j);
    }
  });
}

template <Gelu kind, class T>
void bias_gelu_rows(int64_t rows, int64_t cols, const T* x, const Precise<T>* bias, T* y) {
  for_each_vector<T>(rows, cols, [=](int64_t at, int64_t j, int64_t count) {
    const Vec<T> u = simd::load(x + at, count) + simd::load(bias + j, count);
    simd::store(y + at, gelu<kind, Precise<T>>(u).value, count);
  });
}

template <Gelu kind, class T>
void bias_gelu_backward_rows(int64_t rows, int64_t cols, const T* x, const Precise<T>* bias, const T* dy, T* dx, T* y) {
  for_each_vector<T>(rows, cols, [=](int64_t at, int64_t j, int64_t count) {
    const auto [value, slope] = gelu<kind, Precise<T>>(simd::load(x + at, count) + simd::load(bias + j, count));
    simd::store(dx + at, simd::load(dy + at, count) * slope, count);
    if (y) simd::store(y + at, value, count);
  });
}

}  // namespace

template <class Isa, class T>
void bias_gelu(Gelu kind, int64_t rows, int64_t cols, const T* x, const Precise<T>* bias, T* y) {
  kind == Gelu::kErf ? bias_gelu_rows<Gelu::kErf>(rows, cols, x, bias, y)
                     : bias_gelu_rows<Gelu::kTanh>(rows, cols, x, bias, y);
}

template <class Isa, class T>
void bias_gelu_backward(Gelu kind, int64_t rows, int64_t cols, const T* x, const Precise<T>* bias, const T* dy, T* dx,
                        T* y) {
  kind == Gelu::kErf ? bias_gelu_backward_rows<Gelu::kErf>(rows, cols, x, bias, dy, dx, y)
                     : bias_gelu_backward_rows<Gelu::kTanh>(rows, cols, x, bias, dy, dx, y);
}

template <class Isa, class T>
void tanh(int64_t n, const T* x, T* y) {
  parallel_for(n, 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += simd::kWidth<T>) {
      simd::store(y + i, simd::tanh(simd::load(x + i, end - i)), end - i);
    }
  });
}

template <class Isa, class T>
void tanh_backward(int64_t n, const T* y, const T* dy, double beta, T* dx) {
  parallel_for(n, 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += simd::kWidth<T>) {
      const Vec<T> value = simd::load(y + i, end - i);
      Vec<T> d = simd::load(dy + i, end - i) * (Precise<T>{1} - value * value);
      if (beta != 0) d += simd::load(dx + i, end - i);
      simd::store(dx + i, d, end - i);
    }
  });
}

template <class Isa, class T>
void relu(int64_t n, const T* x, T* y) {
  parallel_for(n, 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += simd::kWidth<T>) {
      simd::store(y + i, simd::max(simd::load(x + i, end - i), Vec<T>{}), end - i);
    }
  });
}

template <class Isa, class T>
void relu_backward(int64_t n, const T* y, const T* dy, double beta, T* dx) {
  parallel_for(n, 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += simd::kWidth<T>) {
      Vec<T> d = simd::load(y + i, end - i) > Vec<T>{} ? simd::load(dy + i, end - i) : Vec<T>{};
      if (beta != 0) d += simd::load(dx + i, end - i);
      simd::store(dx + i, d, end - i);
    }
  });
}

#define BERTHA_INSTANTIATE(T)                                                                                          \
  template void bias_gelu<BERTHA_ISA>(Gelu, int64_t, int64_t, const T*, const Precise<T>*, T*);                        \
  template void bias_gelu_backward<BERTHA_ISA>(Gelu, int64_t, int64_t, const T*, const Precise<T>*, const T*, T*, T*); \
  template void tanh<BERTHA_ISA>(int64_t, const T*, T*);                                                               \
  template void tanh_backward<BERTHA_ISA>(int64_t, const T*, const T*, double, T*);                                    \
  template void relu<BERTHA_ISA>(int64_t, const T*, T*);                                                               \
  template void relu_backward<BERTHA_ISA>(int64_t, const T*, const T*, double, T*);
BERTHA_INSTANTIATE_ALL

}  // namespace bertha::kernels
