#include "autograd/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/core/parallel.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

constexpr int kTileRows = 4;
constexpr int64_t kPad = 16;       // sequence lengths and head sizes are padded to this, with zeros
constexpr int64_t kRowBlock = 32;  // query rows whose probabilities are in the cache at once

int64_t padded(int64_t n) {
  return (n + kPad - 1) / kPad * kPad;
}

// A matrix read as the left factor of a product: element (r, k) at data[r * row_stride + k * inner_stride].
template <class T>
struct Left {
  const T* data;
  int64_t row_stride, inner_stride;
};

// c (rows, cols) = a (rows, inner) b (inner, cols) + (accumulate ? c : 0); rows % kTileRows == 0, cols % kPad == 0.
template <bool accumulate, class T>
void multiply(int64_t rows, int64_t cols, int64_t inner, Left<T> a, const T* b, int64_t ldb, T* c, int64_t ldc) {
  constexpr int kVectors = 64 / simd::kBytes;
  constexpr int64_t kTileCols = kVectors * simd::kWidth<T>;
  for (int64_t j = 0; j < cols; j += kTileCols) {
    for (int64_t i = 0; i < rows; i += kTileRows) {
      Vec<T> sums[kTileRows][kVectors] = {};
      if constexpr (accumulate) {
        for (int r = 0; r < kTileRows; ++r) {
          for (int v = 0; v < kVectors; ++v) sums[r][v] = simd::load(c + (i + r) * ldc + j + v * simd::kWidth<T>);
        }
      }
      const T* left = a.data + i * a.row_stride;
      const T* right = b + j;
      for (int64_t k = 0; k < inner; ++k, left += a.inner_stride, right += ldb) {
        for (int v = 0; v < kVectors; ++v) {
          const Vec<T> x = simd::load(right + v * simd::kWidth<T>);
          for (int r = 0; r < kTileRows; ++r) sums[r][v] += left[r * a.row_stride] * x;
        }
      }
      for (int r = 0; r < kTileRows; ++r) {
        for (int v = 0; v < kVectors; ++v) simd::store(c + (i + r) * ldc + j + v * simd::kWidth<T>, sums[r][v]);
      }
    }
  }
}

// to (n padded, d padded) = n rows of d elements, `stride` apart, zero elsewhere.
template <class T>
void copy_padded(int64_t n, int64_t d, const T* from, int64_t stride, T* to) {
  const int64_t width = padded(d);
  for (int64_t i = 0; i < n; ++i) {
    std::copy_n(from + i * stride, d, to + i * width);
    std::fill(to + i * width + d, to + (i + 1) * width, T{0});
  }
  std::fill(to + n * width, to + padded(n) * width, T{0});
}

// to (d padded, n padded) = the transpose, zero elsewhere.
template <class T>
void copy_transposed(int64_t n, int64_t d, const T* from, int64_t stride, T* to) {
  const int64_t width = padded(n);
  std::fill_n(to, padded(d) * width, T{0});
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) to[j * width + i] = from[i * stride + j];
  }
}

// Hands out one thread's scratch, piece by piece.
template <class T>
class Arena {
 public:
  explicit Arena(T* memory) : next_(memory) {}
  T* take(int64_t elements) {
    T* piece = next_;
    next_ += elements;
    return piece;
  }

 private:
  T* next_;
};

// One head of one sequence.
struct Head {
  int64_t first;   // row of the sequence's first token
  int64_t length;  // n
  int64_t index;   // which head
};

template <class F>
void for_each_head(const AttentionShape& shape, F&& f) {
  parallel_for(shape.sequences * shape.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t sequence = task / shape.heads;
      const int64_t first = shape.cu_seqlens[sequence];
      f(Head{first, shape.cu_seqlens[sequence + 1] - first, task % shape.heads});
    }
  });
}

// Scores become exp(score * scale - offset) and their sum is returned; padded columns become zero.
template <class T>
T exponentiate(T* scores, int64_t n, T scale, T offset) {
  Vec<T> total{};
  for (int64_t j = 0; j < n; j += simd::kWidth<T>) {
    const Vec<T> p = simd::exp(simd::load(scores + j) * scale - offset);
    simd::store(scores + j, p);
    total += p;
  }
  T sum = simd::sum_of<T>(total);
  const int64_t filled = (n + simd::kWidth<T> - 1) / simd::kWidth<T> * simd::kWidth<T>;
  for (int64_t j = n; j < filled; ++j) sum -= scores[j];
  std::fill(scores + n, scores + padded(n), T{0});
  return sum;
}

// Softmax of a row in place; returns the log-sum-exp.
template <class T>
T softmax_row(T* scores, int64_t n, T scale) {
  T maximum = scores[0];
  for (int64_t j = 1; j < n; ++j) maximum = std::max(maximum, scores[j]);
  std::fill(scores + n, scores + padded(n), -std::numeric_limits<T>::infinity());
  const T sum = exponentiate(scores, n, scale, maximum * scale);
  const T inverse = 1 / sum;
  for (int64_t j = 0; j < n; ++j) scores[j] *= inverse;
  return maximum * scale + std::log(sum);
}

template <class T>
void drop_row(const Dropout& dropout, const Head& head, int64_t row, T* values) {
  T factors[kDropoutGroup];
  const auto lane = static_cast<uint32_t>(head.index);
  for (int64_t first = 0; first < head.length; first += kDropoutGroup) {
    dropout_factors(dropout, dropout.row_keys[head.first + row], lane, first / kDropoutGroup, factors);
    const int64_t end = std::min(first + kDropoutGroup, head.length);
    for (int64_t j = first; j < end; ++j) values[j] *= factors[j - first];
  }
}

template <class T>
T inverse_sqrt(int64_t head_size) {
  return 1 / std::sqrt(static_cast<T>(head_size));
}

}  // namespace

int64_t attention_scratch(const AttentionShape& shape) {
  const int64_t n = padded(shape.longest);
  const int64_t d = padded(shape.head_size);
  return 9 * n * d + 2 * kRowBlock * n + kRowBlock * d;
}

template <class T>
void attention(const AttentionShape& shape, const Dropout& dropout, const T* qkv, T* y, T* log_sum_exp, T* scratch) {
  const int64_t hidden = shape.hidden();
  const int64_t d = shape.head_size;
  const int64_t dp = padded(d);
  const T scale = inverse_sqrt<T>(d);
  const int64_t per_thread = attention_scratch(shape);
  for_each_head(shape, [&](const Head& head) {
    const int64_t n = head.length;
    const int64_t np = padded(n);
    const T* base = qkv + head.first * 3 * hidden + head.index * d;
    Arena<T> arena(scratch + thread_index() * per_thread);
    T* q = arena.take(np * dp);
    T* k_transposed = arena.take(dp * np);
    T* v = arena.take(np * dp);
    T* p = arena.take(kRowBlock * np);
    T* out = arena.take(kRowBlock * dp);
    copy_padded(n, d, base, 3 * hidden, q);
    copy_transposed(n, d, base + hidden, 3 * hidden, k_transposed);
    copy_padded(n, d, base + 2 * hidden, 3 * hidden, v);
    for (int64_t first = 0; first < n; first += kRowBlock) {
      const int64_t rows = std::min(kRowBlock, np - first);
      multiply<false>(rows, np, dp, Left<T>{q + first * dp, dp, 1}, k_transposed, np, p, np);
      const int64_t real = std::min(rows, n - first);
      for (int64_t row = 0; row < real; ++row) {
        const int64_t token = head.first + first + row;
        log_sum_exp[token * shape.heads + head.index] = softmax_row(p + row * np, n, scale);
        if (dropout.active()) drop_row(dropout, head, first + row, p + row * np);
      }
      multiply<false>(rows, dp, n, Left<T>{p, np, 1}, v, dp, out, dp);
      for (int64_t row = 0; row < real; ++row) {
        std::copy_n(out + row * dp, d, y + (head.first + first + row) * hidden + head.index * d);
      }
    }
  });
}

template <class T>
void attention_backward(const AttentionShape& shape, const Dropout& dropout, const T* qkv, const T* y, const T* dy,
                        const T* log_sum_exp, T beta, T* dqkv, T* scratch) {
  const int64_t hidden = shape.hidden();
  const int64_t d = shape.head_size;
  const int64_t dp = padded(d);
  const T scale = inverse_sqrt<T>(d);
  const int64_t per_thread = attention_scratch(shape);
  for_each_head(shape, [&](const Head& head) {
    const int64_t n = head.length;
    const int64_t np = padded(n);
    const int64_t column = head.index * d;
    const T* base = qkv + head.first * 3 * hidden + column;
    Arena<T> arena(scratch + thread_index() * per_thread);
    T* q = arena.take(np * dp);
    T* k = arena.take(np * dp);
    T* k_transposed = arena.take(dp * np);
    T* v_transposed = arena.take(dp * np);
    T* dout = arena.take(np * dp);
    T* dq = arena.take(np * dp);
    T* dk = arena.take(np * dp);
    T* dv = arena.take(np * dp);
    T* p = arena.take(kRowBlock * np);
    T* dp_rows = arena.take(kRowBlock * np);
    copy_padded(n, d, base, 3 * hidden, q);
    copy_padded(n, d, base + hidden, 3 * hidden, k);
    copy_transposed(n, d, base + hidden, 3 * hidden, k_transposed);
    copy_transposed(n, d, base + 2 * hidden, 3 * hidden, v_transposed);
    copy_padded(n, d, dy + head.first * hidden + column, hidden, dout);
    std::fill_n(dk, np * dp, T{0});
    std::fill_n(dv, np * dp, T{0});
    for (int64_t first = 0; first < n; first += kRowBlock) {
      const int64_t rows = std::min(kRowBlock, np - first);
      const int64_t real = std::min(rows, n - first);
      multiply<false>(rows, np, dp, Left<T>{q + first * dp, dp, 1}, k_transposed, np, p, np);
      multiply<false>(rows, np, dp, Left<T>{dout + first * dp, dp, 1}, v_transposed, np, dp_rows, np);
      std::fill(p + real * np, p + rows * np, T{0});
      std::fill(dp_rows + real * np, dp_rows + rows * np, T{0});
      for (int64_t row = 0; row < real; ++row) {
        const int64_t token = head.first + first + row;
        T* probability = p + row * np;
        T* gradient = dp_rows + row * np;
        exponentiate(probability, n, scale, log_sum_exp[token * shape.heads + head.index]);
        // sum_j p_j dp_j, dropout included, is the product of the output with its gradient.
        T delta = 0;
        for (int64_t j = 0; j < d; ++j) delta += y[token * hidden + column + j] * dout[(first + row) * dp + j];
        if (dropout.active()) drop_row(dropout, head, first + row, gradient);
        for (int64_t j = 0; j < n; ++j) gradient[j] = (gradient[j] - delta) * probability[j] * scale;
        std::fill(gradient + n, gradient + np, T{0});
        if (dropout.active()) drop_row(dropout, head, first + row, probability);
      }
      multiply<false>(rows, dp, n, Left<T>{dp_rows, np, 1}, k, dp, dq + first * dp, dp);
      multiply<true>(np, dp, rows, Left<T>{dp_rows, 1, np}, q + first * dp, dp, dk, dp);
      multiply<true>(np, dp, rows, Left<T>{p, 1, np}, dout + first * dp, dp, dv, dp);
    }
    T* out = dqkv + head.first * 3 * hidden + column;
    const T* parts[] = {dq, dk, dv};
    for (int64_t i = 0; i < n; ++i) {
      for (int part = 0; part < 3; ++part) {
        T* to = out + i * 3 * hidden + part * hidden;
        for (int64_t j = 0; j < d; ++j) to[j] = parts[part][i * dp + j] + (beta == 0 ? T{0} : to[j]);
      }
    }
  });
}

template <class T>
void attention_probabilities(const AttentionShape& shape, const T* qkv, T* probabilities, T* scratch) {
  const int64_t hidden = shape.hidden();
  const int64_t d = shape.head_size;
  const T scale = inverse_sqrt<T>(d);
  int64_t offset = 0;
  for (int64_t sequence = 0; sequence < shape.sequences; ++sequence) {
    const int64_t first = shape.cu_seqlens[sequence];
    const int64_t n = shape.cu_seqlens[sequence + 1] - first;
    for (int64_t head = 0; head < shape.heads; ++head, offset += n * n) {
      const T* q = qkv + first * 3 * hidden + head * d;
      const T* k = q + hidden;
      T* row = scratch;
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          T score = 0;
          for (int64_t e = 0; e < d; ++e) score += q[i * 3 * hidden + e] * k[j * 3 * hidden + e];
          row[j] = score;
        }
        softmax_row(row, n, scale);
        std::copy_n(row, n, probabilities + offset + i * n);
      }
    }
  }
}

#define BERTHA_INSTANTIATE(T)                                                                                        \
  template void attention(const AttentionShape&, const Dropout&, const T*, T*, T*, T*);                              \
  template void attention_backward(const AttentionShape&, const Dropout&, const T*, const T*, const T*, const T*, T, \
                                   T*, T*);                                                                          \
  template void attention_probabilities(const AttentionShape&, const T*, T*, T*);
BERTHA_INSTANTIATE(float)
BERTHA_INSTANTIATE(double)
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
