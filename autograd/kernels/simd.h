#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

/// Short vectors of float or double as the compiler's vector extension: one source for every instruction set, and
/// transcendental functions that work on whole vectors.
namespace bertha::simd {

constexpr int kBytes = 32;

template <class T>
constexpr int kWidth = kBytes / static_cast<int>(sizeof(T));

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
using Vec = typename VecOf<T>::type;

typedef int32_t IntVec __attribute__((vector_size(kBytes)));

template <class T>
Vec<T> broadcast(T x) {
  return Vec<T>{} + x;
}

template <class T>
Vec<T> load(const T* from) {
  Vec<T> v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}
template <class T>
void store(T* to, Vec<T> v) {
  std::memcpy(to, &v, sizeof(v));
}

/// The first `count` elements, the rest zero.
template <class T>
Vec<T> load(const T* from, int64_t count) {
  if (count >= kWidth<T>) return load(from);
  Vec<T> v{};
  std::memcpy(&v, from, static_cast<size_t>(count) * sizeof(T));
  return v;
}
template <class T>
void store(T* to, Vec<T> v, int64_t count) {
  if (count >= kWidth<T>) return store(to, v);
  std::memcpy(to, &v, static_cast<size_t>(count) * sizeof(T));
}

template <class V>
V max(V a, V b) {
  return a > b ? a : b;
}

template <class T>
T sum_of(Vec<T> v) {
  T total = 0;
  for (int i = 0; i < kWidth<T>; ++i) total += v[i];
  return total;
}

template <class V, class F>
V by_element(V v, F f) {
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

}  // namespace bertha::simd
