#include "autograd/ops/layer_norm.h"

#include <gtest/gtest.h>

#include "autograd/ops/elementwise.h"
#include "tests/autograd/gradcheck.h"
#include "tests/autograd/plain_ops.h"

namespace bertha {
namespace {

const std::vector<uint64_t> kRowKeys = [] {
  std::vector<uint64_t> keys(200);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = 1000 + 7 * i;
  return keys;
}();

Dropout half_dropout() { return {.key = 99, .step = 3, .threshold = 32768, .row_keys = kRowKeys.data()}; }

Var plain_fused(const Dropout& d, std::vector<Var>& v) {
  return layer_norm(add(dropout(d, plain::add_bias(v[0], v[1])), v[2]), {v[3], v[4], 1e-12});
}
Var fused(const Dropout& d, std::vector<Var>& v) {
  return dropout_add_layer_norm(d, v[0], v[1], v[2], {v[3], v[4], 1e-12});
}
std::vector<Tensor> inputs(int64_t rows, int64_t cols) {
  return {randn({rows, cols}), randn({cols}), randn({rows, cols}), randn({cols}), randn({cols})};
}

TEST(LayerNorm, GradientMatchesFiniteDifferences) {
  const auto f = [](auto& v) { return layer_norm(v[0], {v[1], v[2], 1e-5}); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 7}), randn({7}), randn({7})}));
  EXPECT_TRUE(gradcheck(f, {randn({70, 3}), randn({3}), randn({3})}));
}

TEST(LayerNorm, NormalisesRowsFarFromZero) {
  Tensor x = randn({2, 64});
  for (double& e : x.span<double>()) e += 1e3;
  Tensor ones = Tensor::uninitialized({64}, DType::f64);
  std::ranges::fill(ones.span<double>(), 1.0);
  const auto y = layer_norm(Var(to_float(x)), {Var(to_float(ones)), Var(Tensor::zeros({64}, DType::f32)), 1e-12}).value();
  double mean = 0;
  double variance = 0;
  for (int j = 0; j < 64; ++j) mean += y.data<float>()[j] / 64;
  for (int j = 0; j < 64; ++j) variance += std::pow(y.data<float>()[j] - mean, 2) / 64;
  EXPECT_NEAR(mean, 0, 2e-4);
  EXPECT_NEAR(variance, 1, 1e-3);
}

TEST(LayerNorm, FloatAgreesWithDouble) {
  expect_float_agrees([](auto& v) { return layer_norm(v[0], {v[1], v[2], 1e-5}); },
                      {randn({70, 67}), randn({67}), randn({67})}, 5e-5);
}

TEST(DropoutAddLayerNorm, GradientMatchesFiniteDifferences) {
  EXPECT_TRUE(gradcheck([](auto& v) { return fused({}, v); }, inputs(3, 7)));
  EXPECT_TRUE(gradcheck([](auto& v) { return fused(half_dropout(), v); }, inputs(3, 7)));
}

TEST(DropoutAddLayerNorm, EqualsItsPlainComposition) {
  for (const auto& shape : {std::pair{1, 5}, std::pair{3, 130}, std::pair{130, 20}}) {
    const auto tensors = inputs(shape.first, shape.second);
    for (const Dropout& d : {Dropout{}, half_dropout()}) {
      expect_same_function([&](auto& v) { return fused(d, v); }, [&](auto& v) { return plain_fused(d, v); }, tensors,
                           1e-10);
    }
  }
}

TEST(DropoutAddLayerNorm, ResidualMayBeItsInput) {
  const auto f = [](auto& v) { return dropout_add_layer_norm(half_dropout(), v[0], v[1], v[0], {v[2], v[3], 1e-12}); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 7}), randn({7}), randn({7}), randn({7})}));
}

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
