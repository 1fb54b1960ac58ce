#pragma once

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {  // internal linkage, for the reason isa.h gives

/// The columns that one call of dropout_factors covers.
constexpr int64_t kDropoutGroup = 128;

/// Philox4x32-10 on many counters at once, word by word so that the compiler vectorises each round.
struct PhiloxBlock {
  static constexpr int kCounters = kDropoutGroup / 8;  // a counter yields 128 bits: eight draws
  uint32_t words[4][kCounters];

  inline void run(uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < kCounters; ++i) {
        const uint64_t product0 = uint64_t{0xD2511F53u} * words[0][i];
        const uint64_t product1 = uint64_t{0xCD9E8D57u} * words[2][i];
        const auto high0 = static_cast<uint32_t>(product0 >> 32);
        const auto high1 = static_cast<uint32_t>(product1 >> 32);
        words[0][i] = high1 ^ words[1][i] ^ key0;
        words[2][i] = high0 ^ words[3][i] ^ key1;
        words[1][i] = static_cast<uint32_t>(product1);
        words[3][i] = static_cast<uint32_t>(product0);
      }
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
  }
};

/// factors[j] = 0 where column `group * kDropoutGroup + j` is dropped, otherwise 1 / (1 - p), for the whole group.
template <class P>
inline void dropout_factors(const Dropout& dropout, uint64_t row_key, uint32_t lane, int64_t group, P* factors) {
  constexpr int kCounters = PhiloxBlock::kCounters;
  PhiloxBlock block;
  for (int i = 0; i < kCounters; ++i) {
    block.words[0][i] = static_cast<uint32_t>(row_key);
    block.words[1][i] = static_cast<uint32_t>(row_key >> 32);
    block.words[2][i] = dropout.step;
    block.words[3][i] = lane << 16 | static_cast<uint32_t>(group * kCounters + i);
  }
  block.run(static_cast<uint32_t>(dropout.key), static_cast<uint32_t>(dropout.key >> 32));
  const P kept = P{65536} / static_cast<P>(65536 - dropout.threshold);
  for (int part = 0; part < 8; ++part) {
    const int shift = part % 2 * 16;
    for (int i = 0; i < kCounters; ++i) {
      const uint32_t draw = block.words[part / 2][i] >> shift & 0xFFFFu;
      factors[part * kCounters + i] = draw < dropout.threshold ? P{0} : kept;
    }
  }
}

/// Calls f(column, dropout factors of the vector there, elements there) for vector after vector of row `row`, `cols`
/// long; without dropout the factors are 1.
template <class P, class F>
inline void for_each_kept(const Dropout& dropout, int64_t row, uint32_t lane, int64_t cols, F&& f) {
  constexpr int64_t kWidth = simd::kWidth<P>;
  if (!dropout.active()) {
    for (int64_t j = 0; j < cols; j += kWidth) f(j, simd::broadcast(P{1}), cols - j);
    return;
  }
  alignas(simd::kBytes) P factors[kDropoutGroup];
  for (int64_t first = 0; first < cols; first += kDropoutGroup) {
    dropout_factors(dropout, dropout.row_keys[row], lane, first / kDropoutGroup, factors);
    const int64_t end = std::min(first + kDropoutGroup, cols);
    for (int64_t j = first; j < end; j += kWidth) f(j, simd::load(factors + (j - first)), cols - j);
  }
}

}  // namespace
}  // namespace bertha::kernels
