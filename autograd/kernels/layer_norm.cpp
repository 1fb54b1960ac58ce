#include "autograd/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "autograd/core/parallel.h"
#include "autograd/kernels/dropout_factors.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

template <class T>
Precise<T> sum(const T* x, int64_t n) {
  Vec<T> total{};
  for (int64_t j = 0; j < n; j += simd::kWidth<T>) total += simd::load(x + j, n - j);
  return simd::sum_of(total);
}

template <class T>
Precise<T> sum_of_squares_around(const T* x, Precise<T> mean, int64_t n) {
  Vec<T> total{};
  int64_t j = 0;
  for (; j + simd::kWidth<T> <= n; j += simd::kWidth<T>) {
    const Vec<T> d = simd::load(x + j) - mean;
    total += d * d;
  }
  Precise<T> result = simd::sum_of(total);
  for (; j < n; ++j) {
    const Precise<T> d = static_cast<Precise<T>>(x[j]) - mean;
    result += d * d;
  }
  return result;
}

// x may be `normalized`.
template <class X, class T>
void normalize_row(int64_t cols, const X* x, const Precise<T>* gain, const Precise<T>* bias, double epsilon,
                   T* normalized, Precise<T>& rstd, T* y) {
  using P = Precise<T>;
  const auto size = static_cast<P>(cols);
  const P mean = sum(x, cols) / size;
  rstd = 1 / std::sqrt(sum_of_squares_around(x, mean, cols) / size + static_cast<P>(epsilon));
  const P scale = rstd;
  for (int64_t j = 0; j < cols; j += simd::kWidth<T>) {
    const int64_t count = cols - j;
    const Vec<T> value = (simd::load(x + j, count) - mean) * scale;
    simd::store(normalized + j, value, count);
    simd::store(y + j, value * simd::load(gain + j, count) + simd::load(bias + j, count), count);
  }
}

// The parts of dx = rstd (g - mean(g) - normalized mean(g normalized)), g = dy gain, that need the whole row.
template <class P>
struct RowMeans {
  P g, g_normalized;
};

// Finds them, and adds the row's share of dgain and dbias to its block's partial sums on the way.
template <class T>
RowMeans<Precise<T>> row_means(int64_t cols, const T* dy, const T* normalized, const Precise<T>* gain,
                               Precise<T>* dgain, Precise<T>* dbias) {
  Vec<T> g_sum{};
  Vec<T> product_sum{};
  for (int64_t j = 0; j < cols; j += simd::kWidth<T>) {
    const int64_t count = cols - j;
    const Vec<T> d = simd::load(dy + j, count);
    const Vec<T> product = d * simd::load(normalized + j, count);
    simd::store(dgain + j, simd::load(dgain + j, count) + product, count);
    simd::store(dbias + j, simd::load(dbias + j, count) + d, count);
    const Vec<T> weight = simd::load(gain + j, count);
    g_sum += d * weight;
    product_sum += product * weight;
  }
  const auto size = static_cast<Precise<T>>(cols);
  return {simd::sum_of(g_sum) / size, simd::sum_of(product_sum) / size};
}

template <class P>
void sum_partials(int64_t blocks, int64_t cols, const P* partials, int part, Target<P> target) {
  if (!target.out) return;
  for (int64_t j = 0; j < cols; ++j) {
    P total = 0;
    for (int64_t block = 0; block < blocks; ++block) total += partials[(block * 3 + part) * cols + j];
    target.out[j] = total + (target.beta == 0 ? P{0} : target.out[j]);
  }
}

template <class T>
void write(Target<T> target, int64_t at, Vec<T> v, int64_t count) {
  if (target.beta != 0) v += simd::load(target.out + at, count);
  simd::store(target.out + at, v, count);
}

}  // namespace

template <class Isa, class T>
void layer_norm(int64_t rows, int64_t cols, const T* x, const Precise<T>* gain, const Precise<T>* bias, double epsilon,
                T* normalized, Precise<T>* rstd, T* y) {
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * cols;
      normalize_row(cols, x + at, gain, bias, epsilon, normalized + at, rstd[row], y + at);
    }
  });
}

template <class Isa, class T>
void dropout_add_layer_norm(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, const Precise<T>* x_bias,
                            const T* residual, const Precise<T>* gain, const Precise<T>* bias, double epsilon,
                            T* normalized, Precise<T>* rstd, T* y, Precise<T>* row_scratch) {
  using P = Precise<T>;
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    P* joined = row_scratch + thread_index() * cols;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * cols;
      for_each_kept<P>(dropout, row, 0, cols, [&](int64_t j, Vec<T> factors, int64_t count) {
        const Vec<T> branch = simd::load(x + at + j, count) + simd::load(x_bias + j, count);
        simd::store(joined + j, simd::load(residual + at + j, count) + branch * factors, count);
      });
      normalize_row(cols, joined, gain, bias, epsilon, normalized + at, rstd[row], y + at);
    }
  });
}

template <class Isa, class T>
void dropout_add_layer_norm_backward(const Dropout& dropout, int64_t rows, int64_t cols, const T* dy,
                                     const T* normalized, const Precise<T>* rstd, const Precise<T>* gain,
                                     Target<T> dresidual, Target<T> dx, Target<Precise<T>> dx_bias,
                                     Target<Precise<T>> dgain, Target<Precise<T>> dbias, Precise<T>* partials) {
  using P = Precise<T>;
  const int64_t blocks = (rows + kLayerNormBlock - 1) / kLayerNormBlock;
  const Dropout active = dx.out || dx_bias.out ? dropout : Dropout{};
  parallel_for(blocks, 1, [=](int64_t block_begin, int64_t block_end) {
    for (int64_t block = block_begin; block < block_end; ++block) {
      P* sums = partials + block * 3 * cols;
      std::fill_n(sums, 3 * cols, P{0});
      const int64_t last = std::min(rows, (block + 1) * kLayerNormBlock);
      for (int64_t row = block * kLayerNormBlock; row < last; ++row) {
        const int64_t at = row * cols;
        const RowMeans<P> means = row_means(cols, dy + at, normalized + at, gain, sums, sums + cols);
        const P scale = rstd[row];
        for_each_kept<P>(active, row, 0, cols, [&](int64_t j, Vec<T> factors, int64_t count) {
          const Vec<T> g = simd::load(dy + at + j, count) * simd::load(gain + j, count);
          const Vec<T> d = scale * (g - means.g - simd::load(normalized + at + j, count) * means.g_normalized);
          if (dresidual.out) write(dresidual, at + j, d, count);
          const Vec<T> through = d * factors;
          P* bias_sum = sums + 2 * cols + j;
          simd::store(bias_sum, simd::load(bias_sum, count) + through, count);
          if (dx.out) write(dx, at + j, through, count);
        });
      }
    }
  });
  sum_partials(blocks, cols, partials, 0, dgain);
  sum_partials(blocks, cols, partials, 1, dbias);
  sum_partials(blocks, cols, partials, 2, dx_bias);
}

#define BERTHA_INSTANTIATE(T)                                                                                        \
  template void layer_norm<BERTHA_ISA>(int64_t, int64_t, const T*, const Precise<T>*, const Precise<T>*, double, T*, \
                                       Precise<T>*, T*);                                                             \
  template void dropout_add_layer_norm<BERTHA_ISA>(const Dropout&, int64_t, int64_t, const T*, const Precise<T>*,    \
                                                   const T*, const Precise<T>*, const Precise<T>*, double, T*,       \
                                                   Precise<T>*, T*, Precise<T>*);                                    \
  template void dropout_add_layer_norm_backward<BERTHA_ISA>(                                                         \
      const Dropout&, int64_t, int64_t, const T*, const T*, const Precise<T>*, const Precise<T>*, Target<T>,         \
      Target<T>, Target<Precise<T>>, Target<Precise<T>>, Target<Precise<T>>, Precise<T>*);
BERTHA_INSTANTIATE_ALL

}  // namespace bertha::kernels
