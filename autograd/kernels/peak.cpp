#include "autograd/kernels/peak.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>

#include "autograd/core/parallel.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {
namespace {

constexpr int kChains = 12;  // independent sums: enough to hide the latency of an instruction
constexpr int64_t kRounds = 200000;
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

}  // namespace

double measure_peak(DType dtype) {
  const bool bf16 = dtype == DType::bf16;
  const auto rounds = bf16 ? rounds_bf16 : has_avx512() ? rounds_avx512 : rounds_avx2;
  const int lanes = bf16 ? 32 : has_avx512() ? 16 : 8;
  double best = 0;
  volatile float sink = 0;  // keeps the sums from being left out
  for (double spent = 0; spent < kSeconds;) {
    const auto begin = std::chrono::steady_clock::now();
#pragma omp parallel
    {
      const float result = rounds();
#pragma omp critical
      sink = sink + result;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = std::max(best, 2.0 * lanes * kChains * kRounds * num_threads() / seconds);
    spent += seconds;
  }
  return best;
}

}  // namespace bertha::kernels
