#include "autograd/ops/activation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/elementwise.h"
#include "tests/autograd/gradcheck.h"
#include "tests/autograd/plain_ops.h"

namespace bertha {
namespace {

double erf_gelu(double x) {
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}
double erf_gelu_derivative(double x) {
  return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
}

class BiasGelu : public ::testing::TestWithParam<Gelu> {};
INSTANTIATE_TEST_SUITE_P(Kinds, BiasGelu, ::testing::Values(Gelu::kErf, Gelu::kTanh));

TEST_P(BiasGelu, GradientMatchesFiniteDifferences) {
  const auto f = [](auto& v) { return bias_gelu(GetParam(), v[0], v[1]); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 5}), randn({5})}));
  EXPECT_TRUE(gradcheck(f, {randn({1, 1}), randn({1})}));
}

TEST_P(BiasGelu, FloatAgreesWithDouble) {
  expect_float_agrees([](auto& v) { return bias_gelu(GetParam(), v[0], v[1]); }, {randn({9, 37}), randn({37})}, 5e-6);
}

TEST(BiasGelu, EqualsItsPlainComposition) {
  expect_same_function([](auto& v) { return bias_gelu(Gelu::kErf, v[0], v[1]); },
                       [](auto& v) { return plain::unary(plain::add_bias(v[0], v[1]), erf_gelu, erf_gelu_derivative); },
                       {randn({9, 37}), randn({37})}, 1e-12);
}

TEST(BiasGelu, AddsToAGradientThatIsThere) {
  const auto f = [](auto& v) { return bias_gelu(Gelu::kErf, bias_gelu(Gelu::kErf, v[0], v[1]), v[1]); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 5}), randn({5})}));
}

TEST(BiasGelu, ExtremeInputsStayFinite) {
  Tensor x = Tensor::zeros({1, 4}, DType::f32);
  const float values[] = {1e4f, -1e4f, 88.0f, -20.0f};
  std::copy_n(values, 4, x.data<float>());
  const Tensor y = bias_gelu(Gelu::kErf, Var(x), Var(Tensor::zeros({4}, DType::f32))).value();
  EXPECT_EQ(y.data<float>()[0], 1e4f);
  EXPECT_NEAR(y.data<float>()[1], 0, 1e-3);
  EXPECT_EQ(y.data<float>()[2], 88.0f);
  EXPECT_NEAR(y.data<float>()[3], 0, 1e-6);
}

TEST(Tanh, GradientMatchesFiniteDifferences) {
  EXPECT_TRUE(gradcheck([](auto& v) { return tanh(v[0]); }, {randn({3, 5})}));
}

TEST(Tanh, FloatAgreesWithDouble) {
  expect_float_agrees([](auto& v) { return tanh(v[0]); }, {randn({3, 45})}, 1e-6);
}

// The bounds that the header states, over the whole range.
TEST(BiasGelu, Bf16AgreesWithDouble) {
  expect_bf16_agrees([](auto& v) { return bias_gelu(Gelu::kErf, v[0], v[1]); }, {randn({9, 37}), randn({37})}, {0},
                     0.01);
}

TEST(Tanh, Bf16AgreesWithDouble) {
  expect_bf16_agrees([](auto& v) { return tanh(v[0]); }, {randn({9, 37})}, {0}, 0.01);
}

TEST(Relu, GradientMatchesFiniteDifferences) {
  EXPECT_TRUE(gradcheck([](auto& v) { return relu(v[0]); }, {randn({3, 45})}));
}

TEST(Relu, AddsToAGradientThatIsThere) {
  EXPECT_TRUE(gradcheck([](auto& v) { return add(relu(v[0]), tanh(v[0])); }, {randn({3, 5})}));
}

TEST(Relu, FloatAndBf16AgreeWithDouble) {
  expect_float_agrees([](auto& v) { return relu(v[0]); }, {randn({3, 45})}, 1e-6);
  expect_bf16_agrees([](auto& v) { return relu(v[0]); }, {randn({9, 37})}, {0}, 0.01);
}

TEST(Widen, KeepsNumbersAndRoundsGradients) {
  const Tensor x = randn({3, 5});
  EXPECT_EQ(max_difference(widen(Var(x)).value(), x), 0);
  expect_bf16_agrees([](auto& v) { return widen(v[0]); }, {randn({9, 37})}, {0}, 0.01);
}

}  // namespace
}  // namespace bertha
