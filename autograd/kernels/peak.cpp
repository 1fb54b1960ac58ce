#include "autograd/kernels/peak.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>

#include "autograd/core/parallel.h"
#include "autograd/kernels/amx.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {
namespace {

constexpr int kChains = 12;  // independent sums: enough to hide the latency of an instruction
constexpr int64_t kRounds = 200000;
constexpr int64_t kAmxRounds = 20000;
// A system that has just started the threads on one core needs time to part them.
constexpr double kSeconds = 0.2;

float rounds_avx2() {
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 x = _mm256_set1_ps(0.999f);
  for (int64_t round = 0; round < kRounds; ++round) {
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, x, x);
  }
  __m256 total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm256_add_ps(total, sums[i]);
  return _mm256_cvtss_f32(total);
}

__attribute__((target("avx512f"))) float rounds_avx512() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 x = _mm512_set1_ps(0.999f);
  for (int64_t round = 0; round < kRounds; ++round) {
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, x, x);
  }
  __m512 total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm512_add_ps(total, sums[i]);
  return _mm512_cvtss_f32(total);
}

__attribute__((target("avx512f,avx512bf16"))) float rounds_bf16() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const auto x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3F7F3F7F));
  for (int64_t round = 0; round < kRounds; ++round) {
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, x, x);
  }
  __m512 total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm512_add_ps(total, sums[i]);
  return _mm512_cvtss_f32(total);
}

__attribute__((target("amx-tile,amx-bf16"))) float rounds_amx() {
  const TileRegisters registers;
  for (int64_t round = 0; round < kAmxRounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  float sums[16][16];
  _tile_stored(0, sums, 64);
  return sums[0][0];
}

// What an instruction set does in a call of its function.
struct Rounds {
  float (*run)();
  double multiplications;
};

Rounds rounds_of(DType dtype) {
  constexpr double kInstructions = double{kChains} * kRounds;
  if (dtype == DType::bf16 && has_amx()) return {rounds_amx, 4.0 * kAmxRounds * 16 * 16 * 32};
  if (dtype == DType::bf16) return {rounds_bf16, 32 * kInstructions};
  if (has_avx512()) return {rounds_avx512, 16 * kInstructions};
  return {rounds_avx2, 8 * kInstructions};
}

}  // namespace

double measure_peak(DType dtype) {
  const Rounds rounds = rounds_of(dtype);
  double best = 0;
  volatile float sink = 0;  // keeps the sums from being left out
  for (double spent = 0; spent < kSeconds;) {
    const auto begin = std::chrono::steady_clock::now();
    float sum = 0;
#pragma omp parallel reduction(+ : sum)
    sum += rounds.run();
    sink = sink + sum;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = std::max(best, 2 * rounds.multiplications * num_threads() / seconds);
    spent += seconds;
  }
  return best;
}

}  // namespace bertha::kernels
