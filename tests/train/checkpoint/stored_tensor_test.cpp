#include "train/checkpoint/stored_tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace bertha {
namespace {

// From the definition of the format: sign, 5 bits of exponent, 10 of fraction.
double half(uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 0x3FF);
  double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(0x400 + fraction, exponent - 25);
  if (exponent == 31) value = fraction == 0 ? INFINITY : NAN;
  return std::copysign(value, bits & 0x8000 ? -1 : 1);
}

TEST(StoredTensor, ConvertsEveryHalf) {
  std::vector<uint16_t> patterns(65536);
  std::iota(patterns.begin(), patterns.end(), uint16_t{0});
  std::vector<double> found(patterns.size());
  convert_numbers("F16", std::as_bytes(std::span(patterns)), found);
  for (uint32_t bits = 0; bits < patterns.size(); ++bits) {
    const double expected = half(bits);
    ASSERT_TRUE(std::isnan(expected) ? std::isnan(found[bits]) : found[bits] == expected) << bits;
    ASSERT_EQ(std::signbit(found[bits]), std::signbit(expected)) << bits;
  }
}

TEST(StoredTensor, ConvertsEveryBfloat16) {
  std::vector<uint16_t> patterns(65536);
  std::iota(patterns.begin(), patterns.end(), uint16_t{0});
  std::vector<double> found(patterns.size());
  convert_numbers("BF16", std::as_bytes(std::span(patterns)), found);
  for (uint32_t bits = 0; bits < patterns.size(); ++bits) {
    const uint32_t word = bits << 16;
    float expected = 0;
    std::memcpy(&expected, &word, sizeof word);
    ASSERT_TRUE(std::isnan(expected) ? std::isnan(found[bits]) : found[bits] == expected) << bits;
  }
}

TEST(StoredTensor, KnowsWhatElementsAre) {
  EXPECT_EQ(number_kind("BF16"), NumberKind::kFloat);
  EXPECT_EQ(number_kind("F64"), NumberKind::kDouble);
  EXPECT_EQ(number_kind("BOOL"), NumberKind::kInteger);
  for (const char* other : {"U64", "C64", "F8_E4M3", ""}) EXPECT_EQ(number_kind(other), NumberKind::kNone) << other;
}

}  // namespace
}  // namespace bertha
