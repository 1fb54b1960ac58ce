#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <utility>

namespace bertha {

/// The upper half of a float: its range, eight bits of precision. Arithmetic happens in float.
struct bfloat16 {
  uint16_t bits = 0;

  bfloat16() = default;
  /// To the nearest, ties to even; a NaN stays one.
  explicit bfloat16(float x) {
    const auto word = std::bit_cast<uint32_t>(x);
    const uint32_t rounded = word + 0x7FFFu + (word >> 16 & 1u);
    bits = static_cast<uint16_t>((x == x ? rounded : word | 0x400000u) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

/// Element types of tensors. bf16 is for activations and their gradients; f64 exists so that gradient checks can be
/// strict.
enum class DType { f32, f64, bf16 };

constexpr size_t size_of(DType dtype) {
  return dtype == DType::f64 ? 8 : dtype == DType::f32 ? 4 : 2;
}

/// The type of what goes with activations of `dtype` but is kept precise: parameters, their gradients, statistics.
constexpr DType precise(DType dtype) {
  return dtype == DType::bf16 ? DType::f32 : dtype;
}

inline std::ostream& operator<<(std::ostream& out, DType dtype) {
  return out << (dtype == DType::f64 ? "f64" : dtype == DType::f32 ? "f32" : "bf16");
}

template <class T>
struct ElementType;
template <>
struct ElementType<float> {
  static constexpr DType kDType = DType::f32;
  using Precise = float;
};
template <>
struct ElementType<double> {
  static constexpr DType kDType = DType::f64;
  using Precise = double;
};
template <>
struct ElementType<bfloat16> {
  static constexpr DType kDType = DType::bf16;
  using Precise = float;
};

template <class T>
constexpr DType dtype_of() {
  return ElementType<T>::kDType;
}
/// Calls `f.template operator()<T>()` with the C++ type of `dtype`, one that is its own precise type.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  return dtype == DType::f64 ? std::forward<F>(f).template operator()<double>()
                             : std::forward<F>(f).template operator()<float>();
}

template <class T>
using Precise = typename ElementType<T>::Precise;

}  // namespace bertha
