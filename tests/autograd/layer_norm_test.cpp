#include "autograd/ops/layer_norm.h"

#include <gtest/gtest.h>

#include "autograd/ops/elementwise.h"
#include "tests/autograd/gradcheck.h"
#include "tests/autograd/half_dropout.h"
#include "tests/autograd/plain_ops.h"

namespace bertha {
namespace {

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
  const auto y =
      layer_norm(Var(to_float(x)), {Var(to_float(ones)), Var(Tensor::zeros({64}, DType::f32)), 1e-12}).value();
  double mean = 0;
  double variance = 0;
  for (int j = 0; j < 64; ++j) mean += y.data<float>()[j] / 64;
  for (int j = 0; j < 64; ++j) variance += std::pow(y.data<float>()[j] - mean, 2) / 64;
  EXPECT_NEAR(mean, 0, 2e-4);
  EXPECT_NEAR(variance, 1, 1e-3);
}

TEST(LayerNorm, FloatAgreesWithDouble) {
  expect_float_agrees(
      [](auto& v) {
        return layer_norm(v[0], {v[1], v[2], 1e-5});
      },
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

TEST(DropoutAddLayerNorm, Bf16AgreesWithDouble) {
  expect_bf16_agrees([](auto& v) { return fused(half_dropout(), v); }, inputs(70, 67), {0, 2}, 0.02);
}

TEST(DropoutAddLayerNorm, ResidualMayBeItsInput) {
  const auto f = [](auto& v) { return dropout_add_layer_norm(half_dropout(), v[0], v[1], v[0], {v[2], v[3], 1e-12}); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 7}), randn({7}), randn({7}), randn({7})}));
}

}  // namespace
}  // namespace bertha
