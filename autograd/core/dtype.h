#pragma once

#include <cstddef>
#include <ostream>
#include <utility>

namespace bertha {

/// Element types of tensors. f64 exists so that gradient checks can be strict.
enum class DType { f32, f64 };

constexpr size_t size_of(DType dtype) {
  return dtype == DType::f32 ? 4 : 8;
}

inline std::ostream& operator<<(std::ostream& out, DType dtype) {
  return out << (dtype == DType::f32 ? "f32" : "f64");
}

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}

/// Calls `f.template operator()<T>()` with the C++ type of `dtype`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  return dtype == DType::f32 ? std::forward<F>(f).template operator()<float>()
                             : std::forward<F>(f).template operator()<double>();
}

}  // namespace bertha
