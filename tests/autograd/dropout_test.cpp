#include "autograd/ops/dropout.h"

#include <gtest/gtest.h>

#include "autograd/core/random.h"
#include "autograd/kernels/dropout_factors.h"
#include "tests/autograd/gradcheck.h"
#include "tests/autograd/half_dropout.h"

namespace bertha {
namespace {

TEST(Dropout, GradientMatchesFiniteDifferences) {
  EXPECT_TRUE(gradcheck([](auto& v) { return dropout(half_dropout(), v[0]); }, {randn({3, 140})}));
}

TEST(Dropout, DropsTheGivenShareAndKeepsTheMean) {
  Tensor ones = Tensor::uninitialized({200, 1000}, DType::f32);
  std::ranges::fill(ones.span<float>(), 1.0f);
  const Dropout tenth{.key = 5, .step = 1, .threshold = 6554, .row_keys = kRowKeys.data()};
  const Tensor y = dropout(tenth, Var(ones)).value();
  double sum = 0;
  int64_t dropped = 0;
  for (const float e : y.span<float>()) {
    sum += e;
    dropped += e == 0;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 200000, 0.1, 0.003);
  EXPECT_NEAR(sum / 200000, 1, 0.004);
}

TEST(Dropout, DependsOnTheRowsKeyAndNotOnItsPlace) {
  const std::vector<uint64_t> swapped = {kRowKeys[1], kRowKeys[0]};
  const Tensor x = randn({2, 300});
  Tensor other = Tensor::uninitialized({2, 300}, DType::f64);
  std::copy_n(x.data<double>() + 300, 300, other.data<double>());
  std::copy_n(x.data<double>(), 300, other.data<double>() + 300);
  Dropout d = half_dropout();
  const Tensor y = dropout(d, Var(x)).value();
  d.row_keys = swapped.data();
  const Tensor z = dropout(d, Var(other)).value();
  EXPECT_EQ(max_difference(y.row_range(0, 1), z.row_range(1, 1)), 0);
  EXPECT_EQ(max_difference(y.row_range(1, 1), z.row_range(0, 1)), 0);
}

TEST(Dropout, Bf16AgreesWithDouble) {
  expect_bf16_agrees([](auto& v) { return dropout(half_dropout(), v[0]); }, {randn({2, 300})}, {0}, 0.01);
}

TEST(Dropout, EveryArgumentChangesTheMask) {
  const Dropout base = half_dropout();
  const auto mask = [](const Dropout& d, uint64_t row, uint32_t lane, int64_t group) {
    std::vector<float> factors(kernels::kDropoutGroup);
    kernels::dropout_factors(d, row, lane, group, factors.data());
    return factors;
  };
  const auto reference = mask(base, 1, 0, 0);
  EXPECT_EQ(reference, mask(base, 1, 0, 0));
  EXPECT_NE(reference, mask(base, 2, 0, 0));
  EXPECT_NE(reference, mask(base, uint64_t{1} << 40, 0, 0));
  EXPECT_NE(reference, mask(base, 1, 1, 0));
  EXPECT_NE(reference, mask(base, 1, 0, 1));
  Dropout other = base;
  other.step = 4;
  EXPECT_NE(reference, mask(other, 1, 0, 0));
  other = base;
  other.key = 100;
  EXPECT_NE(reference, mask(other, 1, 0, 0));
}

// Draw 0 of a group is the low half of the first word of Philox4x32-10 as Random123 computes it.
TEST(Dropout, DrawsAreThoseOfPhilox) {
  const Dropout d = {.key = 0x0123456789ABCDEF, .step = 77, .threshold = 32768, .row_keys = nullptr};
  constexpr uint64_t kRow = 0xFEDCBA9876543210;
  std::vector<double> factors(kernels::kDropoutGroup);
  kernels::dropout_factors(d, kRow, 5, 2, factors.data());
  for (uint32_t i = 0; i < 16; ++i) {
    const r123::Philox4x32::ctr_type counter = {{0x76543210, 0xFEDCBA98, 77, 5u << 16 | (2 * 16 + i)}};
    const auto words = r123::Philox4x32()(counter, {{0x89ABCDEF, 0x01234567}});
    for (uint32_t part = 0; part < 8; ++part) {
      const uint32_t draw = words[part / 2] >> (part % 2 * 16) & 0xFFFF;
      EXPECT_EQ(factors[part * 16 + i], draw < 32768 ? 0 : 2);
    }
  }
}

}  // namespace
}  // namespace bertha
