#include "autograd/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

template <class T>
T sum(const T* x, int64_t n) {
  Vec<T> total{};
  for (int64_t j = 0; j < n; j += simd::kWidth<T>) total += simd::load(x + j, n - j);
  return simd::sum_of<T>(total);
}

template <class T>
T sum_of_squares_around(const T* x, T mean, int64_t n) {
  Vec<T> total{};
  int64_t j = 0;
  for (; j + simd::kWidth<T> <= n; j += simd::kWidth<T>) {
    const Vec<T> d = simd::load(x + j) - mean;
    total += d * d;
  }
  T result = simd::sum_of<T>(total);
  for (; j < n; ++j) result += (x[j] - mean) * (x[j] - mean);
  return result;
}

// x may be `normalized`.
template <class T>
void normalize_row(int64_t cols, const T* x, const T* gain, const T* bias, T epsilon, T* normalized, T& rstd, T* y) {
  const auto size = static_cast<T>(cols);
  const T mean = sum(x, cols) / size;
  rstd = 1 / std::sqrt(sum_of_squares_around(x, mean, cols) / size + epsilon);
  const T scale = rstd;
  for (int64_t j = 0; j < cols; ++j) {
    const T value = (x[j] - mean) * scale;
    normalized[j] = value;
    y[j] = value * gain[j] + bias[j];
  }
}

// to = x + bias with dropout.
template <class T>
void dropout_row(const Dropout& dropout, int64_t row, int64_t cols, const T* x, const T* bias, const T* residual,
                 T* to) {
  if (!dropout.active()) {
    for (int64_t j = 0; j < cols; ++j) to[j] = residual[j] + (x[j] + bias[j]);
    return;
  }
  T factors[kDropoutGroup];
  for (int64_t first = 0; first < cols; first += kDropoutGroup) {
    dropout_factors(dropout, dropout.row_keys[row], 0, first / kDropoutGroup, factors);
    const int64_t end = std::min(first + kDropoutGroup, cols);
    for (int64_t j = first; j < end; ++j) to[j] = residual[j] + (x[j] + bias[j]) * factors[j - first];
  }
}

// The parts of dx = rstd (g - mean(g) - normalized mean(g normalized)), g = dy gain, that need the whole row.
template <class T>
struct RowMeans {
  T g, g_normalized;
};
template <class T>
RowMeans<T> row_means(int64_t cols, const T* dy, const T* normalized, const T* gain) {
  Vec<T> g_sum{};
  Vec<T> product_sum{};
  for (int64_t j = 0; j < cols; j += simd::kWidth<T>) {
    const int64_t count = cols - j;
    const Vec<T> g = simd::load(dy + j, count) * simd::load(gain + j, count);
    g_sum += g;
    product_sum += g * simd::load(normalized + j, count);
  }
  const auto size = static_cast<T>(cols);
  return {simd::sum_of<T>(g_sum) / size, simd::sum_of<T>(product_sum) / size};
}

// Adds a row's share of dgain and dbias to its block's partial sums.
template <class T>
void add_parameter_row(int64_t cols, const T* dy, const T* normalized, T* dgain, T* dbias) {
  for (int64_t j = 0; j < cols; ++j) {
    dgain[j] += dy[j] * normalized[j];
    dbias[j] += dy[j];
  }
}

template <class T>
void sum_partials(int64_t blocks, int64_t cols, const T* partials, int part, Target<T> target) {
  if (!target.out) return;
  for (int64_t j = 0; j < cols; ++j) {
    T total = 0;
    for (int64_t block = 0; block < blocks; ++block) total += partials[(block * 3 + part) * cols + j];
    target.out[j] = total + (target.beta == 0 ? T{0} : target.out[j]);
  }
}

template <class T>
void write(Target<T> target, int64_t at, T value) {
  if (target.out) target.out[at] = value + (target.beta == 0 ? T{0} : target.out[at]);
}

}  // namespace

template <class T>
void layer_norm(int64_t rows, int64_t cols, const T* x, const T* gain, const T* bias, T epsilon, T* normalized, T* rstd,
                T* y) {
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * cols;
      normalize_row(cols, x + at, gain, bias, epsilon, normalized + at, rstd[row], y + at);
    }
  });
}

template <class T>
void dropout_add_layer_norm(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, const T* x_bias,
                            const T* residual, const T* gain, const T* bias, T epsilon, T* normalized, T* rstd, T* y) {
  parallel_for(rows, 8, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = row * cols;
      dropout_row(dropout, row, cols, x + at, x_bias, residual + at, normalized + at);
      normalize_row(cols, normalized + at, gain, bias, epsilon, normalized + at, rstd[row], y + at);
    }
  });
}

template <class T>
void layer_norm_backward(int64_t rows, int64_t cols, const T* dy, const T* normalized, const T* rstd, const T* gain,
                         Target<T> dx, Target<T> dgain, Target<T> dbias, T* partials) {
  dropout_add_layer_norm_backward<T>(Dropout{}, rows, cols, dy, normalized, rstd, gain, dx, {}, {}, dgain, dbias,
                                     partials);
}

template <class T>
void dropout_add_layer_norm_backward(const Dropout& dropout, int64_t rows, int64_t cols, const T* dy,
                                     const T* normalized, const T* rstd, const T* gain, Target<T> dresidual,
                                     Target<T> dx, Target<T> dx_bias, Target<T> dgain, Target<T> dbias, T* partials) {
  const int64_t blocks = (rows + kLayerNormBlock - 1) / kLayerNormBlock;
  const bool through_dropout = dx.out || dx_bias.out;
  parallel_for(blocks, 1, [=](int64_t block_begin, int64_t block_end) {
    T factors[kDropoutGroup];
    std::fill_n(factors, kDropoutGroup, T{1});
    for (int64_t block = block_begin; block < block_end; ++block) {
      T* sums = partials + block * 3 * cols;
      std::fill_n(sums, 3 * cols, T{0});
      const int64_t last = std::min(rows, (block + 1) * kLayerNormBlock);
      for (int64_t row = block * kLayerNormBlock; row < last; ++row) {
        const int64_t at = row * cols;
        add_parameter_row(cols, dy + at, normalized + at, sums, sums + cols);
        const RowMeans<T> means = row_means(cols, dy + at, normalized + at, gain);
        for (int64_t first = 0; first < cols; first += kDropoutGroup) {
          const int64_t end = std::min(first + kDropoutGroup, cols);
          if (through_dropout && dropout.active()) {
            dropout_factors(dropout, dropout.row_keys[row], 0, first / kDropoutGroup, factors);
          }
          T d[kDropoutGroup];
          for (int64_t j = first; j < end; ++j) {
            d[j - first] = rstd[row] * (dy[at + j] * gain[j] - means.g - normalized[at + j] * means.g_normalized);
          }
          if (dresidual.out) {
            for (int64_t j = first; j < end; ++j) write(dresidual, at + j, d[j - first]);
          }
          if (!through_dropout) continue;
          for (int64_t j = first; j < end; ++j) d[j - first] *= factors[j - first];
          for (int64_t j = first; j < end; ++j) sums[2 * cols + j] += d[j - first];
          if (dx.out) {
            for (int64_t j = first; j < end; ++j) write(dx, at + j, d[j - first]);
          }
        }
      }
    }
  });
  sum_partials(blocks, cols, partials, 0, dgain);
  sum_partials(blocks, cols, partials, 1, dbias);
  sum_partials(blocks, cols, partials, 2, dx_bias);
}

#define BERTHA_INSTANTIATE(T)                                                                                       \
  template void layer_norm(int64_t, int64_t, const T*, const T*, const T*, T, T*, T*, T*);                          \
  template void dropout_add_layer_norm(const Dropout&, int64_t, int64_t, const T*, const T*, const T*, const T*,    \
                                       const T*, T, T*, T*, T*);                                                    \
  template void layer_norm_backward(int64_t, int64_t, const T*, const T*, const T*, const T*, Target<T>, Target<T>, \
                                    Target<T>, T*);                                                                 \
  template void dropout_add_layer_norm_backward(const Dropout&, int64_t, int64_t, const T*, const T*, const T*,     \
                                                const T*, Target<T>, Target<T>, Target<T>, Target<T>, Target<T>, T*);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
