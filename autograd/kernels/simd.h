#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

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

template <class V, int kStep>
inline void transpose_step(V* rows) {
  constexpr int kCount = sizeof(V) / sizeof(rows[0][0]);
  using Index = std::conditional_t<sizeof(rows[0][0]) == 4, int32_t, int64_t>;
  typedef Index Mask __attribute__((vector_size(sizeof(V))));
  Mask upper, lower;
  for (int i = 0; i < kCount; ++i) {
    upper[i] = i & kStep ? kCount + i - kStep : i;
    lower[i] = i & kStep ? kCount + i : i + kStep;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kCount; ++i) {
    if (i & kStep) continue;
    const V a = rows[i];
    const V b = rows[i + kStep];
    rows[i] = __builtin_shuffle(a, b, upper);
    rows[i + kStep] = __builtin_shuffle(a, b, lower);
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

/// e^x. Float: relative error below 2e-7 down to -87, zero below; infinite above 88.7.
inline Vec<float> exp(Vec<float> x) {
  const Vec<float> clamped = max(broadcast(-88.0f), x < 89.0f ? x : broadcast(89.0f));
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low mantissa bits
  const Vec<float> shifted = clamped * 1.44269504f + kRound;
  const Vec<float> n = shifted - kRound;
  const Vec<float> r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  Vec<float> p = broadcast(1.9875691500e-4f);  // Cephes expf
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // 2^n in two factors, so that n = 128 overflows to infinity and n = -127 does not wrap around.
  const IntVec exponent = reinterpret_cast<IntVec>(shifted) - 0x4B400000;
  const IntVec half = exponent >> 1;
  const auto low = reinterpret_cast<Vec<float>>((half + 127) << 23);
  const auto high = reinterpret_cast<Vec<float>>((exponent - half + 127) << 23);
  const Vec<float> result = p * low * high;
  return x < -87.0f ? Vec<float>{} : (x == x ? result : x);
}
inline Vec<double> exp(Vec<double> x) {
  return by_element(x, [](double e) { return std::exp(e); });
}

/// The error function. Float: absolute error below 2e-7, as 1 - exp(-|x| R(|x|)) with R a least-maximum fit on [0, 4].
inline Vec<float> erf(Vec<float> x) {
  const Vec<float> magnitude = x < 0.0f ? -x : x;
  const Vec<float> t = magnitude < 4.0f ? magnitude : broadcast(4.0f);
  Vec<float> r = broadcast(-8.043916750e-6f);
  r = r * t + 1.060274955e-4f;
  r = r * t - 5.879537202e-4f;
  r = r * t + 1.576765906e-3f;
  r = r * t - 5.878760567e-5f;
  r = r * t - 1.921713911e-2f;
  r = r * t + 1.027992070e-1f;
  r = r * t + 6.366161108e-1f;
  r = r * t + 1.128379345f;
  const Vec<float> result = 1.0f - exp(-(t * r));
  return x < 0.0f ? -result : (x == x ? result : x);
}
inline Vec<double> erf(Vec<double> x) {
  return by_element(x, [](double e) { return std::erf(e); });
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
