#include "autograd/ops/linear.h"

#include <gtest/gtest.h>

#include "autograd/ops/elementwise.h"
#include "tests/autograd/gradcheck.h"
#include "tests/autograd/plain_ops.h"

namespace bertha {
namespace {

TEST(Linear, GradientMatchesFiniteDifferences) {
  EXPECT_TRUE(gradcheck([](auto& v) { return linear(v[0], v[1]); }, {randn({3, 4}), randn({5, 4})}));
  EXPECT_TRUE(gradcheck([](auto& v) { return linear(v[0], v[1]); }, {randn({1, 1}), randn({1, 1})}));
}

TEST(Linear, WeightUsedTwiceAccumulates) {
  EXPECT_TRUE(gradcheck([](auto& v) { return add(linear(v[0], v[2]), linear(v[1], v[2])); },
                        {randn({3, 4}), randn({3, 4}), randn({5, 4})}));
}

TEST(Linear, BothInputsMayBeTheSame) {
  EXPECT_TRUE(gradcheck([](auto& v) { return linear(v[0], v[0]); }, {randn({4, 3})}));
}

TEST(Linear, NamesTheShapesThatDoNotFit) {
  try {
    linear(Var(randn({2, 3})), Var(randn({5, 4})));
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "linear: x (2, 3) and weight (5, 4) must share their last dimension");
  }
}

TEST(Affine, GradientMatchesFiniteDifferences) {
  EXPECT_TRUE(gradcheck([](auto& v) { return affine(v[0], v[1], v[2]); }, {randn({3, 4}), randn({5, 4}), randn({5})}));
}

TEST(Affine, EqualsItsPlainComposition) {
  expect_same_function([](auto& v) { return affine(v[0], v[1], v[2]); },
                       [](auto& v) { return plain::add_bias(linear(v[0], v[1]), v[2]); },
                       {randn({70, 4}), randn({37, 4}), randn({37})}, 1e-12);
}

TEST(Affine, FloatAgreesWithDouble) {
  expect_float_agrees([](auto& v) { return affine(v[0], v[1], v[2]); }, {randn({33, 20}), randn({17, 20}), randn({17})},
                      5e-5);
}

TEST(Affine, Bf16AgreesWithDouble) {
  expect_bf16_agrees([](auto& v) { return affine(v[0], v[1], v[2]); }, {randn({33, 20}), randn({17, 20}), randn({17})},
                     {0}, 0.01);
}

TEST(BiasGeluLinear, GradientMatchesFiniteDifferences) {
  for (const Gelu kind : {Gelu::kErf, Gelu::kTanh}) {
    const auto f = [kind](auto& v) { return bias_gelu_linear(kind, v[0], v[1], v[2]); };
    EXPECT_TRUE(gradcheck(f, {randn({3, 4}), randn({4}), randn({5, 4})}));
  }
}

TEST(BiasGeluLinear, EqualsItsPlainComposition) {
  expect_same_function([](auto& v) { return bias_gelu_linear(Gelu::kErf, v[0], v[1], v[2]); },
                       [](auto& v) { return linear(bias_gelu(Gelu::kErf, v[0], v[1]), v[2]); },
                       {randn({70, 33}), randn({33}), randn({7, 33})}, 1e-12);
}

TEST(BiasGeluLinear, AddsToAGradientThatIsThere) {
  const auto f = [](auto& v) { return add(bias_gelu_linear(Gelu::kErf, v[0], v[1], v[2]), v[0]); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 4}), randn({4}), randn({4, 4})}));
}

TEST(BiasGeluLinear, FloatAndBf16AgreeWithDouble) {
  const auto f = [](auto& v) { return bias_gelu_linear(Gelu::kErf, v[0], v[1], v[2]); };
  expect_float_agrees(f, {randn({33, 20}), randn({20}), randn({17, 20})}, 5e-5);
  expect_bf16_agrees(f, {randn({33, 20}), randn({20}), randn({17, 20})}, {0}, 0.01);
}

TEST(Add, GradientMatchesFiniteDifferencesAlsoOfTheSameVarTwice) {
  EXPECT_TRUE(gradcheck([](auto& v) { return add(v[0], v[1]); }, {randn({3, 4}), randn({3, 4})}));
  EXPECT_TRUE(gradcheck([](auto& v) { return add(v[0], v[0]); }, {randn({3, 4})}));
}

}  // namespace
}  // namespace bertha
