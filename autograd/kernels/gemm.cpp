#include "autograd/kernels/gemm.h"

#include <algorithm>
#include <type_traits>

#include "autograd/core/parallel.h"
#include "autograd/kernels/amx.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {

using simd::Vec;

// Both operands are copied into panels of "units" in the order in which the innermost loop reads them. A unit is what
// one lane multiplies in one instruction: a number, or two neighbouring bf16 numbers along k, held in a float.
template <class A, class B>
constexpr bool kPaired = std::is_same_v<A, bfloat16> || std::is_same_v<B, bfloat16>;
template <class A, class B>
using UnitOf = std::conditional_t<kPaired<A, B>, float, A>;

// A tile of the result, kRows x kMostVectors vectors, stays in registers for all of a pass over k: 8 x 48 numbers with
// AVX-512, 4 x 24 with AVX2, and with AMX 32 x 32 in four of its registers of 16 x 16.
template <class Unit>
constexpr int kLanes = simd::kWidth<Unit>;
template <class Unit>
constexpr int kRows = kAmx                 ? 32
                      : simd::kBytes == 64 ? 8
                                           : 4;
constexpr int kMostVectors = kAmx ? 2 : 3;
template <class Unit>
constexpr int kCols = kMostVectors* kLanes<Unit>;
constexpr int64_t kDepth = kAmx ? kTileSide : 1;  // units along k that one instruction multiplies

constexpr int64_t kPassBytes = 4096;        // of one row along k: a panel of op(a) stays in the first-level cache
constexpr int64_t kPairedPassBytes = 8192;  // fewer roundings of a bf16 result are worth a little speed
constexpr int64_t kChunkBytes = 256 << 10;  // rows of op(a) that stay in the second-level cache
constexpr int64_t kPrefetchBytes = 256;     // ahead in each of the rows that are packed side by side
constexpr int64_t kPackLanes = 256;         // packed by one task
constexpr int64_t kBlockBytes = 4 << 20;    // of the larger operand, packed at a time; stays in the last-level cache

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

int64_t round_up(int64_t a, int64_t b) {
  return ceil_div(a, b) * b;
}

// Units from one panel to the next: a cache line more than its size, for panels that start a power of two apart would
// share one set of the cache.
template <class Unit, int kWidth>
int64_t panel_stride(int64_t units) {
  return units * kWidth + 64 / static_cast<int64_t>(sizeof(Unit));
}

// How one product is cut.
template <class Unit, bool paired>
struct Plan {
  explicit Plan(const GemmShape& s)
      : units(round_up(paired ? ceil_div(s.k, 2) : s.k, kDepth)),
        passes(ceil_div(units * sizeof(Unit), paired ? kPairedPassBytes : kPassBytes)),
        pass_units(round_up(ceil_div(units, std::max<int64_t>(passes, 1)), kDepth)),
        a_panels(ceil_div(s.m, kRows<Unit>)),
        b_panels(ceil_div(s.n, kCols<Unit>)),
        a_is_larger(s.m > s.n),
        a_block(a_is_larger ? block(a_panels, kRows<Unit>) : a_panels),
        b_block(a_is_larger ? b_panels : block(b_panels, kCols<Unit>)),
        chunk(std::clamp<int64_t>(kChunkBytes / (kRows<Unit> * pass_bytes()), 1, a_block)) {}

  int64_t pass_bytes() const { return std::max<int64_t>(pass_units * sizeof(Unit), 1); }
  int64_t block(int64_t panels, int64_t width) const {
    return std::clamp<int64_t>(kBlockBytes / (width * pass_bytes()), 1, panels);
  }
  int64_t a_units() const { return (a_block + 1) * panel_stride<Unit, kRows<Unit>>(pass_units); }
  int64_t b_units() const { return b_block * panel_stride<Unit, kCols<Unit>>(pass_units); }

  int64_t units, passes, pass_units;
  int64_t a_panels, b_panels;
  bool a_is_larger;
  int64_t a_block, b_block;  // panels packed at a time: all of the smaller operand, a block of the larger
  int64_t chunk;             // panels of op(a) that a task multiplies with one of op(b)
};

// An operand seen as lanes (rows of op(a), columns of op(b)) by k.
template <class S>
struct Operand {
  const S* data;
  int64_t lanes, k;
  bool k_is_contiguous;

  const S* at(int64_t lane, int64_t index) const {
    return data + (k_is_contiguous ? lane * k + index : index * lanes + lane);
  }
};

// `count` numbers along k (more than a vector's units hold are left alone) as units.
template <class Unit, bool paired, class S>
Vec<Unit> load_units(const S* from, int64_t count) {
  if constexpr (!paired) {
    return simd::load(from, count);
  } else {
#ifdef __AVX512BF16__
    if constexpr (std::is_same_v<S, bfloat16>) {
      const auto mask = static_cast<__mmask32>(count >= 32 ? ~0u : (1u << count) - 1);
      return reinterpret_cast<Vec<Unit>>(_mm512_maskz_loadu_epi16(mask, from));
    } else {
      const Vec<float> low = simd::load(from, count);
      const Vec<float> high = count > 16 ? simd::load(from + 16, count - 16) : Vec<float>{};
      return reinterpret_cast<Vec<Unit>>(_mm512_cvtne2ps_pbh(high, low));
    }
#endif
  }
}

// The units of `count` lanes at one place along k, from the row there and, where numbers are paired, the next (both
// null past the end).
template <class Unit, bool paired, class S>
Vec<Unit> join_rows(const S* row, [[maybe_unused]] const S* next, int64_t count) {
  if constexpr (!paired) {
    return simd::load(row, count);
  } else {
#ifdef __AVX512BF16__
    const auto bits = [count](const S* from) -> __m512i {
      if (!from) return __m512i{};
      if constexpr (std::is_same_v<S, bfloat16>) {
        const auto mask = static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1u << count) - 1);
        return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
      } else {
        return _mm512_cvtepu16_epi32(simd::narrow(simd::load(from, count)));
      }
    };
    return reinterpret_cast<Vec<Unit>>(_mm512_or_si512(bits(row), _mm512_slli_epi32(bits(next), 16)));
#endif
  }
}

// How a panel keeps its units: those of all its lanes at one place along k side by side, or, as AMX reads its left
// operand, those of one lane at kDepth places.
enum class Order { kLanesInner, kDepthInner };

// Packs lanes [first, first + groups * kLanes) of an operand, k units [unit, unit + units), into panels of kWidth
// lanes; `to` is where the panel of lane `first` starts. Lanes and units past the end are zero.
template <class Unit, bool paired, int kWidth, Order order, class S>
class Packer {
 public:
  Packer(const Operand<S>& operand, int64_t unit, int64_t units)
      : from_(operand), unit_(unit), units_(units), stride_(panel_stride<Unit, kWidth>(units)) {}

  void pack(int64_t first, int64_t groups, Unit* to) const {
    if constexpr (order == Order::kDepthInner) {
      for (int64_t panel = 0; panel < groups * kGroup / kWidth; ++panel) {
        pack_blocks(first + panel * kWidth, to + panel * stride_);
      }
    } else if (from_.k_is_contiguous) {
      for (int64_t group = 0; group < groups; ++group) pack_rows(first, group, to);
    } else {
      pack_columns(first, groups, to);
    }
  }

 private:
  static constexpr int64_t kGroup = kLanes<Unit>;
  static constexpr int64_t kPer = paired ? 2 : 1;

  void put(Unit* to, int64_t group, int64_t unit, Vec<Unit> v) const {
    if constexpr (kWidth >= kGroup) {
      const int64_t lane = group * kGroup;
      simd::store(to + lane / kWidth * stride_ + unit * kWidth + lane % kWidth, v);
    } else {
      static_assert(2 * kWidth == kGroup);
      typedef Unit Half __attribute__((vector_size(simd::kBytes / 2)));
      Half halves[2];
      std::memcpy(halves, &v, sizeof(v));
      for (int half = 0; half < 2; ++half) {
        std::memcpy(to + (2 * group + half) * stride_ + unit * kWidth, &halves[half], sizeof(Half));
      }
    }
  }

  // kGroup lanes of kGroup units, a lane a vector, from an operand whose k is contiguous.
  void load_lanes(int64_t lane, int64_t unit, Vec<Unit>* square) const {
    const int64_t index = (unit_ + unit) * kPer;
    const int64_t left = std::min(from_.k - index, (units_ - unit) * kPer);
    for (int64_t i = 0; i < kGroup; ++i) {
      const S* from = from_.at(lane + i, index);
      __builtin_prefetch(reinterpret_cast<const char*>(from) + kPrefetchBytes);
      square[i] = lane + i < from_.lanes ? load_units<Unit, paired>(from, left) : Vec<Unit>{};
    }
  }

  // One unit of `count` lanes from an operand whose k is not contiguous.
  Vec<Unit> load_unit(int64_t lane, int64_t unit) const {
    const int64_t index = (unit_ + unit) * kPer;
    const int64_t count = std::min(kGroup, from_.lanes - lane);
    if (count <= 0 || index >= from_.k) return Vec<Unit>{};
    return join_rows<Unit, paired>(from_.at(lane, index), index + 1 < from_.k ? from_.at(lane, index + 1) : nullptr,
                                   count);
  }

  void pack_blocks(int64_t first, Unit* to) const {
    for (int64_t unit = 0; unit < units_; unit += kGroup) {
      for (int64_t lane = first; lane < first + kWidth; lane += kGroup) {
        Vec<Unit> square[kGroup];
        if (from_.k_is_contiguous) {
          load_lanes(lane, unit, square);
        } else {
          for (int64_t i = 0; i < kGroup; ++i) square[i] = load_unit(lane, unit + i);
          simd::transpose(square);
        }
        for (int64_t i = 0; i < kGroup; ++i, to += kGroup) simd::store(to, square[i]);
      }
    }
  }

  void pack_rows(int64_t first, int64_t group, Unit* to) const {
    for (int64_t unit = 0; unit < units_; unit += kGroup) {
      Vec<Unit> square[kGroup];
      load_lanes(first + group * kGroup, unit, square);
      simd::transpose(square);
      const int64_t count = std::min(kGroup, units_ - unit);
      for (int64_t i = 0; i < count; ++i) put(to, group, unit + i, square[i]);
    }
  }

  void pack_columns(int64_t first, int64_t groups, Unit* to) const {
    for (int64_t unit = 0; unit < units_; ++unit) {
      const S* ahead = from_.at(first, (unit_ + unit) * kPer + 8);
      for (int64_t group = 0; group < groups; ++group) __builtin_prefetch(ahead + group * kGroup);
      for (int64_t group = 0; group < groups; ++group) put(to, group, unit, load_unit(first + group * kGroup, unit));
    }
  }

  const Operand<S>& from_;
  int64_t unit_, units_, stride_;
};

// What becomes of a tile's sums.
template <class C>
struct Result {
  const Precise<C>* bias;
  bool add;
  C* c;
  int64_t m, n;

  void write(int64_t row, int64_t col, Vec<C> sum) const {
    const int64_t count = n - col;
    if (bias) sum += simd::load(bias + col, count);
    C* to = c + row * n + col;
    if (add) sum += simd::load(to, count);
    simd::store(to, sum, count);
  }

  template <int kCount>
  void prefetch(int64_t row, int64_t rows, int64_t col) const {
    for (const C* from = c + row * n + col; rows > 0; --rows, from += n) {
      for (int byte = 0; byte < kCount * static_cast<int>(sizeof(C)); byte += 64) {
        __builtin_prefetch(reinterpret_cast<const char*>(from) + byte, 1);
      }
    }
  }
};

#ifdef __AMX_BF16__

// One panel of op(a) times one of op(b).
template <bool paired, class Unit, class C>
void multiply_panels(int64_t units, const Unit* a, const Unit* b, const Result<C>& result, int64_t row, int64_t col) {
  const int64_t rows = std::min<int64_t>(kRows<Unit>, result.m - row);
  result.template prefetch<kCols<Unit>>(row, rows, col);
  zero_result();
  multiply_into_result(units / kDepth, a, a + kTileSide * kDepth, kDepth, kRows<Unit> * kDepth, b, kCols<Unit>);
  alignas(64) Unit sums[kRows<Unit>][kCols<Unit>];
  store_result(&sums[0][0], kCols<Unit>);
  const int64_t cols = std::min<int64_t>(kCols<Unit>, result.n - col);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < cols; j += kLanes<Unit>) result.write(row + r, col + j, simd::load(&sums[r][j]));
  }
}

#else

template <bool paired, class V, class Unit>
V multiply_add(V sum, Unit a, V b) {
  if constexpr (paired) {
#ifdef __AVX512BF16__
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(simd::broadcast(a)), reinterpret_cast<__m512bh>(b));
#endif
  } else {
    return sum + a * b;
  }
}

// One panel of op(a) times the first kVectors vectors of one of op(b).
template <bool paired, int kVectors, class Unit, class C>
void multiply_tile(int64_t units, const Unit* a, const Unit* b, const Result<C>& result, int64_t row, int64_t col) {
  constexpr int kR = kRows<Unit>;
  const int64_t rows = std::min<int64_t>(kR, result.m - row);
  result.template prefetch<kVectors * kLanes<Unit>>(row, rows, col);
  Vec<Unit> sums[kR][kVectors] = {};
  for (int64_t unit = 0; unit < units; ++unit, a += kR, b += kCols<Unit>) {
    Vec<Unit> right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = simd::load(b + v * kLanes<Unit>);
    __builtin_prefetch(a + 32 * kR);
    for (int r = 0; r < kR; ++r) {
      for (int v = 0; v < kVectors; ++v) sums[r][v] = multiply_add<paired>(sums[r][v], a[r], right[v]);
    }
  }
  for (int r = 0; r < kR; ++r) {
    if (r >= rows) break;
    for (int v = 0; v < kVectors; ++v) result.write(row + r, col + v * kLanes<Unit>, sums[r][v]);
  }
}

// The last panel of op(b) may have vectors to spare.
template <bool paired, class Unit, class C>
void multiply_panels(int64_t units, const Unit* a, const Unit* b, const Result<C>& result, int64_t row, int64_t col) {
  static_assert(kMostVectors == 3);
  const int64_t vectors = ceil_div(result.n - col, kLanes<Unit>);
  if (vectors >= 3) return multiply_tile<paired, 3>(units, a, b, result, row, col);
  if (vectors == 2) return multiply_tile<paired, 2>(units, a, b, result, row, col);
  multiply_tile<paired, 1>(units, a, b, result, row, col);
}

#endif

template <class A, class B, class C>
class Product {
 public:
  Product(const GemmShape& s, const A* a, const B* b, std::byte* scratch)
      : plan_(s),
        a_{a, s.m, s.k, s.transpose_a == kNo},
        b_{b, s.n, s.k, s.transpose_b == kYes},
        packed_a_(reinterpret_cast<Unit*>(scratch)),
        packed_b_(packed_a_ + plan_.a_units()) {}

  void run(Result<C> result) {
    for (int64_t unit = 0; unit < plan_.units; unit += plan_.pass_units) {
      unit_ = unit;
      units_ = std::min(plan_.pass_units, plan_.units - unit);
      run_pass(result);
      result.bias = nullptr;
      result.add = true;
    }
  }

 private:
  using Unit = UnitOf<A, B>;
  static constexpr bool paired = kPaired<A, B>;

  void run_pass(const Result<C>& result) {
    if (plan_.a_is_larger) {
      pack_b(0, plan_.b_panels);
      for (int64_t begin = 0; begin < plan_.a_panels; begin += plan_.a_block) {
        const int64_t end = std::min(plan_.a_panels, begin + plan_.a_block);
        pack_a(begin, end);
        multiply(begin, end, 0, plan_.b_panels, result);
      }
    } else {
      pack_a(0, plan_.a_panels);
      for (int64_t begin = 0; begin < plan_.b_panels; begin += plan_.b_block) {
        const int64_t end = std::min(plan_.b_panels, begin + plan_.b_block);
        pack_b(begin, end);
        multiply(0, plan_.a_panels, begin, end, result);
      }
    }
  }

  void pack_a(int64_t begin, int64_t end) {
    pack<kRows<Unit>, kAmx ? Order::kDepthInner : Order::kLanesInner>(a_, begin, end, kPackLanes / kRows<Unit>,
                                                                      packed_a_);
  }
  void pack_b(int64_t begin, int64_t end) { pack<kCols<Unit>, Order::kLanesInner>(b_, begin, end, 1, packed_b_); }

  template <int kWidth, Order order, class S>
  void pack(const Operand<S>& operand, int64_t begin, int64_t end, int64_t grain, Unit* to) const {
    const Packer<Unit, paired, kWidth, order, S> packer(operand, unit_, units_);
    parallel_for(end - begin, grain, [&](int64_t first, int64_t last) {
      const int64_t groups = ceil_div((last - first) * kWidth, kLanes<Unit>);
      packer.pack((begin + first) * kWidth, groups, to + first * panel_stride<Unit, kWidth>(units_));
    });
  }

  void multiply(int64_t a_begin, int64_t a_end, int64_t b_begin, int64_t b_end, const Result<C>& result) const {
    const int64_t cols = b_end - b_begin;
    parallel_for(ceil_div(a_end - a_begin, plan_.chunk) * cols, 1, [&](int64_t first, int64_t last) {
      [[maybe_unused]] const MatrixRegisters registers;
      for (int64_t task = first; task < last; ++task) {
        const int64_t panel_b = b_begin + task % cols;
        const int64_t begin = a_begin + task / cols * plan_.chunk;
        const int64_t end = std::min(a_end, begin + plan_.chunk);
        for (int64_t panel_a = begin; panel_a < end; ++panel_a) {
          multiply_panels<paired>(units_, packed_a_ + (panel_a - a_begin) * panel_stride<Unit, kRows<Unit>>(units_),
                                  packed_b_ + (panel_b - b_begin) * panel_stride<Unit, kCols<Unit>>(units_), result,
                                  panel_a * kRows<Unit>, panel_b * kCols<Unit>);
        }
      }
    });
  }

  Plan<Unit, paired> plan_;
  Operand<A> a_;
  Operand<B> b_;
  Unit* packed_a_;
  Unit* packed_b_;
  int64_t unit_ = 0, units_ = 0;  // of the pass
};

// Where sums is null they are zero.
template <class C>
void finish_rows(int64_t m, int64_t n, const Precise<C>* sums, const Precise<C>* bias, bool add, C* c) {
  parallel_for(m, 16, [=](int64_t begin, int64_t end) {
    const Result<C> result{bias, add, c, m, n};
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t j = 0; j < n; j += simd::kWidth<C>) {
        result.write(row, j, sums ? simd::load(sums + row * n + j, n - j) : Vec<C>{});
      }
    }
  });
}

// A result of several passes is summed in its precise type.
template <class C>
constexpr bool kNeedsSums = !std::is_same_v<C, Precise<C>>;

template <class A, class B>
int64_t packed_bytes(const GemmShape& shape) {
  const Plan<UnitOf<A, B>, kPaired<A, B>> plan(shape);
  return (plan.a_units() + plan.b_units()) * static_cast<int64_t>(sizeof(UnitOf<A, B>));
}

}  // namespace

template <class Isa, class A, class B, class C>
int64_t gemm_scratch_bytes(const GemmShape& shape) {
  const Plan<UnitOf<A, B>, kPaired<A, B>> plan(shape);
  const bool sums = kNeedsSums<C> && plan.passes > 1;
  return packed_bytes<A, B>(shape) + (sums ? shape.m * shape.n * static_cast<int64_t>(sizeof(Precise<C>)) : 0);
}

template <class Isa, class A, class B, class C>
void gemm(const GemmShape& s, const A* a, const B* b, const Precise<C>* bias, double beta, C* c, std::byte* scratch) {
  using P = Precise<C>;
  if (s.m == 0 || s.n == 0) return;
  const bool add = beta != 0;
  if (s.k == 0) return finish_rows<C>(s.m, s.n, nullptr, bias, add, c);
  if (kNeedsSums<C> && Plan<UnitOf<A, B>, kPaired<A, B>>(s).passes > 1) {
    auto* sums = reinterpret_cast<P*>(scratch + packed_bytes<A, B>(s));
    Product<A, B, P>(s, a, b, scratch).run({nullptr, false, sums, s.m, s.n});
    return finish_rows(s.m, s.n, sums, bias, add, c);
  }
  Product<A, B, C>(s, a, b, scratch).run({bias, add, c, s.m, s.n});
}

#define BERTHA_INSTANTIATE(A, B, C)                                                                                \
  template void gemm<BERTHA_ISA>(const GemmShape&, const A*, const B*, const Precise<C>*, double, C*, std::byte*); \
  template int64_t gemm_scratch_bytes<BERTHA_ISA, A, B, C>(const GemmShape&);
#ifndef __AMX_BF16__
BERTHA_INSTANTIATE(float, float, float)
#endif
#ifdef __AVX512BF16__
BERTHA_INSTANTIATE(bfloat16, float, bfloat16)
BERTHA_INSTANTIATE(bfloat16, float, float)
BERTHA_INSTANTIATE(bfloat16, bfloat16, float)
#else
BERTHA_INSTANTIATE(double, double, double)
#endif
#undef BERTHA_INSTANTIATE

}  // namespace bertha::kernels
