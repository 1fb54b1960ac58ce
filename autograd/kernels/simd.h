#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numbers>

#include "autograd/core/dtype.h"

/// Short vectors of float or double as the compiler's vector extension, as wide as the instruction set being compiled
/// (see isa.h), and transcendental functions that work on whole vectors. bf16 elements are loaded as float.
namespace bertha::simd {
namespace {  // internal linkage, for the reason isa.h gives

#ifdef __AVX512F__
constexpr int kBytes = 64;
#else
constexpr int kBytes = 32;
#endif

template <class T>
constexpr int kWidth = kBytes / static_cast<int>(sizeof(Precise<T>));

template <class T>
struct VecOf;
template <>
struct VecOf<float> {
  typedef float type __attribute__((vector_size(kBytes)));
};
template <>
struct VecOf<double> {
  typedef double type __attribute__((vector_size(kBytes)));
};
template <class T>
using Vec = typename VecOf<Precise<T>>::type;

typedef int32_t IntVec __attribute__((vector_size(kBytes)));

template <class T>
inline Vec<T> broadcast(T x) {
  return Vec<T>{} + x;
}

template <class T>
inline Vec<T> load(const T* from) {
  Vec<T> v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}
template <class T>
inline void store(T* to, Vec<T> v) {
  std::memcpy(to, &v, sizeof(v));
}

/// The first `count` elements, the rest zero.
template <class T>
inline Vec<T> load(const T* from, int64_t count) {
  if (count >= kWidth<T>) return load(from);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#endif
  Vec<T> v{};
  std::memcpy(&v, from, static_cast<size_t>(count) * sizeof(T));
  return v;
}
template <class T>
inline void store(T* to, Vec<T> v, int64_t count) {
  if (count >= kWidth<T>) return store(to, v);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), v);
#endif
  std::memcpy(to, &v, static_cast<size_t>(count) * sizeof(T));
}

#ifdef __AVX512BF16__
inline Vec<float> widen(__m256i bits) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline __m256i narrow(Vec<float> v) {
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v));
}
template <>
inline Vec<float> load(const bfloat16* from) {
  return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
template <>
inline void store(bfloat16* to, Vec<float> v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), narrow(v));
}
template <>
inline Vec<float> load(const bfloat16* from, int64_t count) {
  if (count >= 16) return load(from);
  return widen(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), from));
}
template <>
inline void store(bfloat16* to, Vec<float> v, int64_t count) {
  if (count >= 16) return store(to, v);
  _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << count) - 1), narrow(v));
}
#endif

template <class V>
inline V max(V a, V b) {
  return a > b ? a : b;
}

/// The lanes' sum, halves first.
template <class V>
inline auto sum_of(V v) {
  constexpr int kLanes = sizeof(V) / sizeof(v[0]);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) v[i] += v[i + half];
  }
  return v[0];
}
template <class V>
inline auto maximum_of(V v) {
  auto result = v[0];
  for (size_t i = 1; i < sizeof(V) / sizeof(v[0]); ++i) result = std::max(result, v[i]);
  return result;
}

/// The lanes of `a`, then those of `b`, by their numbers.
template <class V, class Mask>
inline V shuffle(V a, V b, Mask lanes) {
#ifdef __clang__  // which lacks the builtin; it builds the fuzz targets
  constexpr int kCount = sizeof(V) / sizeof(a[0]);
  V out;
  for (int i = 0; i < kCount; ++i) out[i] = lanes[i] < kCount ? a[lanes[i]] : b[lanes[i] - kCount];
  return out;
#else
  return __builtin_shuffle(a, b, lanes);
#endif
}

template <class V, int kStep>
inline void transpose_step(V* rows) {
  constexpr int kCount = sizeof(V) / sizeof(rows[0][0]);
  using Index = std::conditional_t<sizeof(rows[0][0]) == 4, int32_t, int64_t>;
  typedef Index Mask __attribute__((vector_size(sizeof(V))));
  Mask upper = {}, lower = {};
  for (int i = 0; i < kCount; ++i) {
    upper[i] = i & kStep ? kCount + i - kStep : i;
    lower[i] = i & kStep ? kCount + i : i + kStep;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kCount; ++i) {
    if (i & kStep) continue;
    const V a = rows[i];
    const V b = rows[i + kStep];
    rows[i] = shuffle(a, b, upper);
    rows[i + kStep] = shuffle(a, b, lower);
  }
}

/// Transposes a square: as many vectors as they have lanes.
template <class V>
inline void transpose(V* rows) {
  constexpr int kCount = sizeof(V) / sizeof(rows[0][0]);
  transpose_step<V, 1>(rows);
  transpose_step<V, 2>(rows);
  if constexpr (kCount > 4) transpose_step<V, 4>(rows);
  if constexpr (kCount > 8) transpose_step<V, 8>(rows);
}

template <class V, class F>
inline V by_element(V v, F f) {
  V out;
  for (size_t i = 0; i < sizeof(V) / sizeof(v[0]); ++i) out[i] = f(v[i]);
  return out;
}

/// e^x. Float: relative error below 2e-7 down to -87, zero below; infinite above 88.8.
inline Vec<float> exp(Vec<float> x) {
#ifdef __AVX512F__
  const Vec<float> clamped = _mm512_min_ps(broadcast(89.0f), _mm512_max_ps(broadcast(-88.0f), x));  // NaN passes
  const Vec<float> n = _mm512_roundscale_ps(clamped * 1.44269504f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  const Vec<float> clamped = max(broadcast(-88.0f), x < 89.0f ? x : broadcast(89.0f));
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low mantissa bits
  const Vec<float> shifted = clamped * 1.44269504f + kRound;
  const Vec<float> n = shifted - kRound;
#endif
  const Vec<float> r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  Vec<float> p = broadcast(1.9875691500e-4f);  // Cephes expf
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
#ifdef __AVX512F__
  return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, broadcast(-87.0f), _CMP_NLT_UQ), p, n);
#else
  // 2^n in two factors, so that n = 128 overflows to infinity and n = -127 does not wrap around.
  const IntVec exponent = reinterpret_cast<IntVec>(shifted) - 0x4B400000;
  const IntVec half = exponent >> 1;
  const auto low = reinterpret_cast<Vec<float>>((half + 127) << 23);
  const auto high = reinterpret_cast<Vec<float>>((exponent - half + 127) << 23);
  const Vec<float> result = p * low * high;
  return x < -87.0f ? Vec<float>{} : (x == x ? result : x);
#endif
}
inline Vec<double> exp(Vec<double> x) {
  return by_element(x, [](double e) { return std::exp(e); });
}

/// The standard normal distribution function and its density.
template <class T>
struct Normal {
  Vec<T> cdf, density;
};
/// Float: absolute error of both below 3e-7. Source: Abramowitz & Stegun 1964, 7.1.26, for the tail.
inline Normal<float> normal(Vec<float> x) {
  const Vec<float> magnitude = x < 0.0f ? -x : x;
  const Vec<float> e = exp(-0.5f * x * x);
  const Vec<float> t = 1.0f / (1.0f + 0.231641888f * magnitude);  // 0.3275911 / sqrt(2)
  Vec<float> tail = broadcast(0.5f * 1.061405429f);
  tail = tail * t - 0.5f * 1.453152027f;
  tail = tail * t + 0.5f * 1.421413741f;
  tail = tail * t - 0.5f * 0.284496736f;
  tail = tail * t + 0.5f * 0.254829592f;
  tail = tail * t * e;
  return {x < 0.0f ? tail : 1.0f - tail, 0.398942280f * e};
}
inline Normal<double> normal(Vec<double> x) {
  return {by_element(x, [](double e) { return 0.5 * std::erfc(-e * std::numbers::sqrt2 / 2); }),
          std::numbers::inv_sqrtpi / std::numbers::sqrt2 * exp(-0.5 * x * x)};
}

/// The hyperbolic tangent. Float: absolute error below 2e-7.
inline Vec<float> tanh(Vec<float> x) {
  const Vec<float> magnitude = x < 0.0f ? -x : x;
  const Vec<float> result = 1.0f - 2.0f / (exp(2.0f * magnitude) + 1.0f);
  return x < 0.0f ? -result : (x == x ? result : x);
}
inline Vec<double> tanh(Vec<double> x) {
  return by_element(x, [](double e) { return std::tanh(e); });
}

}  // namespace
}  // namespace bertha::simd
