#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace bertha {

/// Unsigned integers in the order of the floating-point numbers they stand for: -0 right below 0, NaNs beyond the
/// infinities. Source: the well-known trick for sorting by radix (Terdiman 2000, "Radix sort revisited").
template <class T>
using OrderedKey = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <class T>
inline constexpr int kKeyBits = std::numeric_limits<OrderedKey<T>>::digits;

template <class T>
OrderedKey<T> bits_of(T value) {
  return std::bit_cast<OrderedKey<T>>(value);
}

/// From the bits of a number, or the first `kept` of them, those of its key.
template <class T>
OrderedKey<T> key_of_bits(OrderedKey<T> bits, int kept) {
  using Key = OrderedKey<T>;
  const Key sign = Key{1} << (kept - 1), all = sign | (sign - 1);
  return bits ^ ((bits & sign) ? all : sign);
}

/// The way back.
template <class T>
OrderedKey<T> bits_of_key(OrderedKey<T> key, int kept) {
  using Key = OrderedKey<T>;
  const Key sign = Key{1} << (kept - 1), all = sign | (sign - 1);
  return key ^ ((key & sign) ? sign : all);
}

template <class T>
OrderedKey<T> ordered_key(T value) {
  return key_of_bits<T>(bits_of(value), kKeyBits<T>);
}

template <class T>
T value_of_key(OrderedKey<T> key) {
  return std::bit_cast<T>(bits_of_key<T>(key, kKeyBits<T>));
}

}  // namespace bertha
