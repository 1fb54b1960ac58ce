#pragma once

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/simd.h"

namespace bertha::kernels {
namespace {  // internal linkage, for the reason isa.h gives

/// The columns that one call of dropout_factors covers.
constexpr int64_t kDropoutGroup = 128;

typedef uint32_t Words __attribute__((vector_size(simd::kBytes)));
typedef uint64_t WideWords __attribute__((vector_size(simd::kBytes)));

/// The product of the low halves of each pair of lanes.
inline WideWords multiply_low(WideWords a, uint32_t b) {
#ifdef __AVX512F__
  return reinterpret_cast<WideWords>(_mm512_mul_epu32(reinterpret_cast<__m512i>(a), _mm512_set1_epi64(b)));
#else
  return reinterpret_cast<WideWords>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), _mm256_set1_epi64x(b)));
#endif
}

/// Philox4x32-10 on consecutive counters, one in the low half of each lane; upper halves hold no meaning.
struct Philox {
  WideWords words[4];

  inline void run(uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
      const WideWords product0 = multiply_low(words[0], 0xD2511F53u);
      const WideWords product1 = multiply_low(words[2], 0xCD9E8D57u);
      words[0] = product1 >> 32 ^ words[1] ^ uint64_t { key0 };
      words[2] = product0 >> 32 ^ words[3] ^ uint64_t { key1 };
      words[1] = product1;
      words[3] = product0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
  }
};

/// factors[j] = 0 where column `group * kDropoutGroup + j` is dropped, otherwise 1 / (1 - p), for the whole group. A
/// counter yields 128 bits: eight draws of 16, of which draw `part` decides about column part * 16 + its place.
template <class P>
inline void dropout_factors(const Dropout& dropout, uint64_t row_key, uint32_t lane, int64_t group, P* factors) {
  constexpr int64_t kCounters = kDropoutGroup / 8;
  constexpr int kLanes = simd::kBytes / 4;
  const P kept = P{65536} / static_cast<P>(65536 - dropout.threshold);
  for (int first = 0; first < kCounters; first += kLanes) {
    Philox parity[2];  // of even and of odd counters
    for (int odd = 0; odd < 2; ++odd) {
      const auto start = static_cast<uint32_t>(group * kCounters + first + odd);
      WideWords place;
      for (int i = 0; i < kLanes / 2; ++i) place[i] = static_cast<uint64_t>(2 * i);
      parity[odd].words[0] = WideWords{} + static_cast<uint32_t>(row_key);
      parity[odd].words[1] = WideWords{} + (row_key >> 32);
      parity[odd].words[2] = WideWords{} + uint64_t{dropout.step};
      parity[odd].words[3] = (place + uint64_t{start}) | uint64_t{lane << 16};
      parity[odd].run(static_cast<uint32_t>(dropout.key), static_cast<uint32_t>(dropout.key >> 32));
    }
    for (int word = 0; word < 4; ++word) {
      const WideWords low = parity[0].words[word] & uint64_t{0xFFFFFFFF};
      const auto draws = reinterpret_cast<Words>(low | parity[1].words[word] << 32);
      const Words halves[2] = {draws & 0xFFFFu, draws >> 16};
      for (int half = 0; half < 2; ++half) {
        P* to = factors + (2 * word + half) * kCounters + first;
        for (int i = 0; i < kLanes; ++i) to[i] = halves[half][i] < dropout.threshold ? P{0} : kept;
      }
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
