#include "autograd/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "autograd/core/parallel.h"
#include "autograd/kernels/amx.h"
#include "autograd/kernels/dropout_factors.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

constexpr int64_t kPad = kAmx ? 32 : 16;  // sequence lengths and head sizes are padded to this, with zeros
constexpr int64_t kRowBlock = 64;         // query rows whose probabilities are in the cache at once

int64_t padded(int64_t n) {
  return (n + kPad - 1) / kPad * kPad;
}

// Units from one row of n to the next: a cache line more than there are, for rows a power of two apart would share one
// set of the cache.
int64_t row_stride(int64_t n) {
  return padded(n) + kPad;
}

// Factors of products are kept as units: a number, or with bf16 two neighbouring numbers along the inner dimension,
// held in a float, which one instruction multiplies and adds up.
template <class T>
constexpr int64_t kPerUnit = sizeof(Precise<T>) / sizeof(T);

// A matrix of units read as the left factor of a product: unit (r, k) at data[r * row_stride + k * inner_stride].
template <class P>
struct Left {
  const P* data;
  int64_t row_stride, inner_stride;
};

#ifdef __AMX_BF16__

// 32 rows of the left factor as tiles read them, each row's units side by side.
class LeftTiles {
 public:
  explicit LeftTiles(const Left<float>& from, int64_t inner) : data_(from.data), row_stride_(from.row_stride) {
    if (from.inner_stride == 1) return;
    for (int64_t row = 0; row < 2 * kTileSide; row += kTileSide) {
      for (int64_t k = 0; k < inner; k += kTileSide) {
        Vec<float> square[kTileSide];
        for (int64_t i = 0; i < kTileSide; ++i) square[i] = simd::load(from.data + row + (k + i) * from.inner_stride);
        simd::transpose(square);
        for (int64_t i = 0; i < kTileSide; ++i) simd::store(transposed_ + (row + i) * kMostInner + k, square[i]);
      }
    }
    data_ = transposed_;
    row_stride_ = kMostInner;
  }
  LeftTiles(const LeftTiles&) = delete;
  LeftTiles& operator=(const LeftTiles&) = delete;

  const float* row(int64_t i) const { return data_ + i * row_stride_; }
  int64_t stride() const { return row_stride_; }

 private:
  static constexpr int64_t kMostInner = kRowBlock / 2;  // of a factor whose rows are not contiguous
  const float* data_;
  int64_t row_stride_;
  alignas(64) float transposed_[2 * kTileSide * kMostInner];
};

// c (rows, cols) = a (rows, inner) b (inner, cols) + (accumulate ? c : 0), inner in units; rows and cols are padded.
template <class T, bool accumulate>
void multiply(int64_t rows, int64_t cols, int64_t inner, Left<float> a, const float* b, int64_t ldb, float* c,
              int64_t ldc) {
  static_assert(kPad == 2 * kTileSide);
  for (int64_t i = 0; i < rows; i += kPad) {
    const LeftTiles left({a.data + i * a.row_stride, a.row_stride, a.inner_stride}, inner);
    for (int64_t j = 0; j < cols; j += kPad) {
      float* to = c + i * ldc + j;
      accumulate ? load_result(to, ldc) : zero_result();
      multiply_into_result(inner / kTileSide, left.row(0), left.row(kTileSide), left.stride(), kTileSide, b + j, ldb);
      store_result(to, ldc);
    }
  }
}

#else

template <class T>
Vec<T> multiply_add(Vec<T> sum, Precise<T> a, Vec<T> b) {
#ifdef __AVX512BF16__
  if constexpr (std::is_same_v<T, bfloat16>) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(simd::broadcast(a)), reinterpret_cast<__m512bh>(b));
  }
#endif
  return sum + a * b;
}

template <class T, int kVectors, bool accumulate>
void multiply_tile(int64_t inner, Left<Precise<T>> a, const Precise<T>* b, int64_t ldb, Precise<T>* c, int64_t ldc) {
  constexpr int kRows = simd::kBytes == 64 ? 8 : 4;
  constexpr int kWidth = simd::kWidth<T>;
  Vec<T> sums[kRows][kVectors] = {};
  if constexpr (accumulate) {
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sums[r][v] = simd::load(c + r * ldc + v * kWidth);
    }
  }
  for (int64_t k = 0; k < inner; ++k, a.data += a.inner_stride, b += ldb) {
    for (int v = 0; v < kVectors; ++v) {
      const Vec<T> right = simd::load(b + v * kWidth);
      for (int r = 0; r < kRows; ++r) sums[r][v] = multiply_add<T>(sums[r][v], a.data[r * a.row_stride], right);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) simd::store(c + r * ldc + v * kWidth, sums[r][v]);
  }
}

// c (rows, cols) = a (rows, inner) b (inner, cols) + (accumulate ? c : 0), inner in units; rows and cols are padded.
template <class T, bool accumulate>
void multiply(int64_t rows, int64_t cols, int64_t inner, Left<Precise<T>> a, const Precise<T>* b, int64_t ldb,
              Precise<T>* c, int64_t ldc) {
  constexpr int64_t kRows = simd::kBytes == 64 ? 8 : 4;
  constexpr int64_t kWide = 2 * simd::kWidth<T>;
  for (int64_t j = 0; j < cols; j += kWide) {
    for (int64_t i = 0; i < rows; i += kRows) {
      const Left<Precise<T>> left{a.data + i * a.row_stride, a.row_stride, a.inner_stride};
      Precise<T>* to = c + i * ldc + j;
      cols - j >= kWide ? multiply_tile<T, 2, accumulate>(inner, left, b + j, ldb, to, ldc)
                        : multiply_tile<T, 1, accumulate>(inner, left, b + j, ldb, to, ldc);
    }
  }
}

#endif

// Where rows of D elements of one head are: rows[i], or i where null, `stride` apart.
template <class T>
struct Rows {
  const T* data;
  int64_t stride;
  const int32_t* rows = nullptr;
  int64_t first = 0;  // of the sequence, subtracted from rows[i]

  const T* operator[](int64_t i) const { return data + (rows ? rows[i] - first : i) * stride; }
};

// A row of d elements and zeros up to `width`.
template <class T>
void copy_row(int64_t d, int64_t width, const T* from, T* to) {
  constexpr int64_t kChunk = simd::kBytes / static_cast<int64_t>(sizeof(T));
  int64_t j = 0;
  for (; j + kChunk <= d; j += kChunk) std::memcpy(to + j, from + j, simd::kBytes);
  for (; j < d; ++j) to[j] = from[j];
  for (; j < width; ++j) to[j] = T{};
}

// to (n padded, d padded) = n rows of d elements, zero elsewhere.
template <class T>
void copy_rows(int64_t n, int64_t d, const Rows<T>& from, Precise<T>* units) {
  const int64_t width = padded(d);
  T* to = reinterpret_cast<T*>(units);
  for (int64_t i = 0; i < n; ++i) copy_row(d, width, from[i], to + i * width);
  std::fill(to + n * width, to + padded(n) * width, T{});
}

// units (d padded / kPerUnit, n padded), rows row_stride(n) apart, = the transpose, zero elsewhere.
template <class T>
void copy_transposed(int64_t n, int64_t d, const Rows<T>& from, Precise<T>* units) {
  using P = Precise<T>;
  constexpr int64_t kSide = simd::kWidth<T>;
  const int64_t stride = row_stride(n);
  const int64_t inner = padded(d) / kPerUnit<T>;
  for (int64_t i = 0; i < padded(n); i += kSide) {
    for (int64_t k = 0; k < inner; k += kSide) {
      Vec<T> square[kSide] = {};
      const int64_t elements = std::min(kSide * kPerUnit<T>, d - k * kPerUnit<T>);
      for (int64_t r = 0; r < kSide && i + r < n && elements > 0; ++r) {
        const T* row = from[i + r] + k * kPerUnit<T>;
        if (elements == kSide * kPerUnit<T>) {
          std::memcpy(&square[r], row, sizeof(square[r]));
        } else {
          std::memcpy(&square[r], row, static_cast<size_t>(elements) * sizeof(T));
        }
      }
      simd::transpose(square);
      for (int64_t r = 0; r < std::min(kSide, inner - k); ++r) simd::store<P>(units + (k + r) * stride + i, square[r]);
    }
  }
}

// units (n padded / kPerUnit, d padded), rows `stride` apart: with bf16, rows 2i and 2i + 1 element by element beside
// each other.
template <class T>
void copy_joined(int64_t n, int64_t d, const Rows<T>& from, int64_t stride, Precise<T>* units) {
  if constexpr (kPerUnit<T> == 1) {
    copy_rows(n, d, from, units);
  } else {
    auto* to = reinterpret_cast<uint32_t*>(units);
    for (int64_t i = 0; i < n; i += 2, to += stride) {
      const bfloat16* low = from[i];
      const bfloat16* high = i + 1 < n ? from[i + 1] : nullptr;
      for (int64_t j = 0; j < d; ++j) to[j] = low[j].bits | (high ? uint32_t{high[j].bits} << 16 : 0);
      std::fill(to + d, to + padded(d), 0);
    }
    std::fill(to, reinterpret_cast<uint32_t*>(units) + padded(n) / 2 * stride, 0);
  }
}

// Hands out one thread's scratch, piece by piece.
template <class P>
class Arena {
 public:
  explicit Arena(P* memory) : next_(memory) {}
  P* take(int64_t elements) {
    P* piece = next_;
    next_ += elements;
    return piece;
  }

 private:
  P* next_;
};

// One head of one sequence.
struct Head {
  int64_t first;          // row of the sequence's first token
  int64_t length;         // n
  int64_t index;          // which head
  int64_t first_query;    // place of the sequence's first query in the results
  int64_t queries;        // m
  const int32_t* listed;  // (m) rows of the queries, or null: all

  int64_t row(int64_t query) const { return listed ? listed[query] : first + query; }
};

template <class F>
void for_each_head(const AttentionShape& shape, F&& f) {
  parallel_for(shape.sequences * shape.heads, 1, [&](int64_t begin, int64_t end) {
    [[maybe_unused]] const MatrixRegisters registers;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t sequence = task / shape.heads;
      const int64_t first = shape.cu_seqlens[sequence];
      const int64_t first_query = shape.cu_queries[sequence];
      f(Head{first, shape.cu_seqlens[sequence + 1] - first, task % shape.heads, first_query,
             shape.cu_queries[sequence + 1] - first_query, shape.queries ? shape.queries + first_query : nullptr});
    }
  });
}

// Scores become exp(score * scale - offset) and their sum is returned; padded columns become zero.
template <class P>
P exponentiate(P* scores, int64_t n, P scale, P offset) {
  constexpr int64_t kWidth = simd::kWidth<P>;
  std::fill(scores + n, scores + padded(n), -std::numeric_limits<P>::infinity());
  Vec<P> total{};
  for (int64_t j = 0; j < padded(n); j += kWidth) {
    const Vec<P> p = simd::exp(simd::load(scores + j) * scale - offset);
    simd::store(scores + j, p);
    total += p;
  }
  return simd::sum_of(total);
}

// Scores become what softmax divides by their sum; returns that and the log-sum-exp.
template <class P>
struct Softmax {
  P sum, log_sum_exp;
};
template <class P>
Softmax<P> softmax_row(P* scores, int64_t n, P scale) {
  std::fill(scores + n, scores + padded(n), -std::numeric_limits<P>::infinity());
  Vec<P> maxima = simd::load(scores);
  for (int64_t j = simd::kWidth<P>; j < n; j += simd::kWidth<P>) maxima = simd::max(maxima, simd::load(scores + j));
  const P maximum = simd::maximum_of(maxima) * scale;
  const P sum = exponentiate(scores, n, scale, maximum);
  return {sum, maximum + std::log(sum)};
}

// The dot product of two rows.
template <class T>
Precise<T> dot(const T* a, const T* b, int64_t n) {
  Vec<T> total{};
  for (int64_t j = 0; j < n; j += simd::kWidth<T>) total += simd::load(a + j, n - j) * simd::load(b + j, n - j);
  return simd::sum_of(total);
}

template <class P>
P inverse_sqrt(int64_t head_size) {
  return 1 / std::sqrt(static_cast<P>(head_size));
}

}  // namespace

template <class Isa>
int64_t attention_scratch(const AttentionShape& shape) {
  const int64_t n = row_stride(shape.longest);
  const int64_t d = padded(shape.head_size);
  return 10 * n * d + 5 * kRowBlock * n + kRowBlock * d;
}

template <class Isa, class T>
void attention(const AttentionShape& shape, const Dropout& dropout, const T* qkv, T* y, Precise<T>* log_sum_exp,
               Precise<T>* scratch) {
  using P = Precise<T>;
  const int64_t hidden = shape.hidden();
  const int64_t d = shape.head_size;
  const int64_t dp = padded(d);
  const int64_t du = dp / kPerUnit<T>;
  const P scale = inverse_sqrt<P>(d);
  const int64_t per_thread = attention_scratch<Isa>(shape);
  for_each_head(shape, [&](const Head& head) {
    const int64_t n = head.length;
    const int64_t np = padded(n);
    const int64_t ns = row_stride(n);
    const int64_t m = head.queries;
    const T* base = qkv + head.first * 3 * hidden + head.index * d;
    Arena<P> arena(scratch + thread_index() * per_thread);
    P* q = arena.take(np * dp);
    P* k_transposed = arena.take(dp * ns);
    P* v = arena.take(np * dp);
    P* scores = arena.take(kRowBlock * ns);
    P* weights = arena.take(kRowBlock * ns);
    P* out = arena.take(kRowBlock * dp);
    copy_rows<T>(m, d, {base, 3 * hidden, head.listed, head.first}, q);
    copy_transposed<T>(n, d, {base + hidden, 3 * hidden}, k_transposed);
    copy_joined<T>(n, d, {base + 2 * hidden, 3 * hidden}, dp, v);
    for (int64_t first = 0; first < m; first += kRowBlock) {
      const int64_t rows = std::min(kRowBlock, padded(m) - first);
      const int64_t real = std::min(rows, m - first);
      multiply<T, false>(rows, np, du, {q + first * du, du, 1}, k_transposed, ns, scores, ns);
      std::fill_n(weights + real * ns, (rows - real) * ns, P{0});
      for (int64_t i = 0; i < real; ++i) {
        const int64_t query = head.first_query + first + i;
        P* row = scores + i * ns;
        T* weight = reinterpret_cast<T*>(weights + i * ns);
        const Softmax<P> softmax = softmax_row(row, n, scale);
        log_sum_exp[query * shape.heads + head.index] = softmax.log_sum_exp;
        const P inverse = 1 / softmax.sum;
        for_each_kept<P>(dropout, head.row(first + i), static_cast<uint32_t>(head.index), np,
                         [&](int64_t j, Vec<P> factors, int64_t count) {
                           simd::store(weight + j, simd::load(row + j) * inverse * factors, count);
                         });
      }
      multiply<T, false>(rows, dp, np / kPerUnit<T>, {weights, ns, 1}, v, dp, out, dp);
      for (int64_t i = 0; i < real; ++i) {
        T* to = y + (head.first_query + first + i) * hidden + head.index * d;
        for (int64_t j = 0; j < d; j += simd::kWidth<T>) simd::store(to + j, simd::load(out + i * dp + j), d - j);
      }
    }
  });
}

template <class Isa, class T>
void attention_backward(const AttentionShape& shape, const Dropout& dropout, const T* qkv, const T* y, const T* dy,
                        const Precise<T>* log_sum_exp, double beta, T* dqkv, Precise<T>* scratch) {
  using P = Precise<T>;
  const int64_t hidden = shape.hidden();
  const int64_t d = shape.head_size;
  const int64_t dp = padded(d);
  const int64_t du = dp / kPerUnit<T>;
  const P scale = inverse_sqrt<P>(d);
  const int64_t per_thread = attention_scratch<Isa>(shape);
  for_each_head(shape, [&](const Head& head) {
    const int64_t n = head.length;
    const int64_t np = padded(n);
    const int64_t ns = row_stride(n);
    const int64_t nu = np / kPerUnit<T>;
    const int64_t m = head.queries;
    const int64_t column = head.index * d;
    const T* base = qkv + head.first * 3 * hidden + column;
    const Rows<T> queries{base, 3 * hidden, head.listed, head.first};
    const Rows<T> douts{dy + head.first_query * hidden + column, hidden};
    Arena<P> arena(scratch + thread_index() * per_thread);
    P* q = arena.take(np * dp);
    P* q_joined = kPerUnit<T> > 1 ? arena.take(np * dp) : q;
    P* k_joined = arena.take(np * dp);
    P* k_transposed = arena.take(dp * ns);
    P* v_transposed = arena.take(dp * ns);
    P* dout = arena.take(np * dp);
    P* dout_joined = kPerUnit<T> > 1 ? arena.take(np * dp) : dout;
    P* dq = arena.take(np * dp);
    P* dk = arena.take(np * dp);
    P* dv = arena.take(np * dp);
    P* p = arena.take(kRowBlock * ns);
    P* dp_rows = arena.take(kRowBlock * ns);
    P* weights = arena.take(kRowBlock * ns);
    P* dscores = arena.take(kRowBlock * ns);
    P* joined = arena.take(kRowBlock * ns);
    P* dq_rows = arena.take(kRowBlock * dp);
    copy_rows(m, d, queries, q);
    copy_joined<T>(n, d, {base + hidden, 3 * hidden}, dp, k_joined);
    copy_transposed<T>(n, d, {base + hidden, 3 * hidden}, k_transposed);
    copy_transposed<T>(n, d, {base + 2 * hidden, 3 * hidden}, v_transposed);
    copy_rows(m, d, douts, dout);
    if constexpr (kPerUnit < T >> 1) {
      copy_joined(m, d, queries, dp, q_joined);
      copy_joined(m, d, douts, dp, dout_joined);
    }
    std::fill_n(dq, n * dp, P{0});
    std::fill_n(dk, np * dp, P{0});
    std::fill_n(dv, np * dp, P{0});
    for (int64_t first = 0; first < m; first += kRowBlock) {
      const int64_t rows = std::min(kRowBlock, padded(m) - first);
      const int64_t real = std::min(rows, m - first);
      multiply<T, false>(rows, np, du, {q + first * du, du, 1}, k_transposed, ns, p, ns);
      multiply<T, false>(rows, np, du, {dout + first * du, du, 1}, v_transposed, ns, dp_rows, ns);
      std::fill_n(weights + real * ns, (rows - real) * ns, P{0});
      std::fill_n(dscores + real * ns, (rows - real) * ns, P{0});
      for (int64_t i = 0; i < real; ++i) {
        const int64_t query = head.first_query + first + i;
        exponentiate(p + i * ns, n, scale, log_sum_exp[query * shape.heads + head.index]);
        // sum_j p_j dp_j, dropout included, is the product of the output with its gradient.
        const P delta = dot(y + query * hidden + column, douts[first + i], d);
        T* weight = reinterpret_cast<T*>(weights + i * ns);
        T* dscore = reinterpret_cast<T*>(dscores + i * ns);
        for_each_kept<P>(dropout, head.row(first + i), static_cast<uint32_t>(head.index), np,
                         [&](int64_t j, Vec<P> factors, int64_t count) {
                           const Vec<P> probability = simd::load(p + i * ns + j);
                           const Vec<P> gradient = simd::load(dp_rows + i * ns + j);
                           simd::store(weight + j, probability * factors, count);
                           simd::store(dscore + j, (gradient * factors - delta) * probability * scale, count);
                         });
      }
      multiply<T, false>(rows, dp, nu, {dscores, ns, 1}, k_joined, dp, dq_rows, dp);
      for (int64_t i = 0; i < real; ++i) {
        copy_row(dp, dp, dq_rows + i * dp, dq + (head.row(first + i) - head.first) * dp);
      }
      const int64_t row_units = rows / kPerUnit<T>;
      const auto add_product = [&](const P* factor, const P* right, P* sum) {
        if constexpr (kPerUnit < T >> 1) {
          copy_joined<T>(rows, np, {reinterpret_cast<const T*>(factor), ns * kPerUnit<T>}, ns, joined);
          factor = joined;
        }
        multiply<T, true>(np, dp, row_units, {factor, 1, ns}, right + first / kPerUnit<T> * dp, dp, sum, dp);
      };
      add_product(dscores, q_joined, dk);
      add_product(weights, dout_joined, dv);
    }
    T* out = dqkv + head.first * 3 * hidden + column;
    const P* parts[] = {dq, dk, dv};
    for (int64_t i = 0; i < n; ++i) {
      for (int part = 0; part < 3; ++part) {
        T* to = out + i * 3 * hidden + part * hidden;
        for (int64_t j = 0; j < d; j += simd::kWidth<T>) {
          Vec<T> gradient = simd::load(parts[part] + i * dp + j);
          if (beta != 0) gradient += simd::load(to + j, d - j);
          simd::store(to + j, gradient, d - j);
        }
      }
    }
  });
}

template <class Isa, class T>
void attention_probabilities(const AttentionShape& shape, const T* qkv, Precise<T>* probabilities,
                             Precise<T>* scratch) {
  using P = Precise<T>;
  const int64_t hidden = shape.hidden();
  const int64_t d = shape.head_size;
  const P scale = inverse_sqrt<P>(d);
  int64_t offset = 0;
  for (int64_t sequence = 0; sequence < shape.sequences; ++sequence) {
    const int64_t first = shape.cu_seqlens[sequence];
    const int64_t n = shape.cu_seqlens[sequence + 1] - first;
    for (int64_t head = 0; head < shape.heads; ++head, offset += n * n) {
      const T* q = qkv + first * 3 * hidden + head * d;
      const T* k = q + hidden;
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) scratch[j] = dot(q + i * 3 * hidden, k + j * 3 * hidden, d);
        const P inverse = 1 / softmax_row(scratch, n, scale).sum;
        for (int64_t j = 0; j < n; ++j) probabilities[offset + i * n + j] = scratch[j] * inverse;
      }
    }
  }
}

#define BERTHA_INSTANTIATE(T)                                                                                         \
  template void attention<BERTHA_ISA>(const AttentionShape&, const Dropout&, const T*, T*, Precise<T>*, Precise<T>*); \
  template void attention_backward<BERTHA_ISA>(const AttentionShape&, const Dropout&, const T*, const T*, const T*,   \
                                               const Precise<T>*, double, T*, Precise<T>*);                           \
  template void attention_probabilities<BERTHA_ISA>(const AttentionShape&, const T*, Precise<T>*, Precise<T>*);
BERTHA_INSTANTIATE_ALL
template int64_t attention_scratch<BERTHA_ISA>(const AttentionShape&);

}  // namespace bertha::kernels
