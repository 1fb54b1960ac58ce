#include "autograd/ops/cross_entropy.h"

#include <gtest/gtest.h>

#include "tests/autograd/gradcheck.h"

namespace bertha {
namespace {

const std::vector<int32_t> kLabels = {2, 0, 6, 2};

TEST(LinearCrossEntropy, GradientMatchesFiniteDifferences) {
  const auto f = [](auto& v) { return linear_cross_entropy(v[0], v[1], v[2], kLabels, 0.7, {}); };
  EXPECT_TRUE(gradcheck(f, {randn({4, 3}), randn({7, 3}), randn({7})}));
}

TEST(LinearCrossEntropy, Bf16AgreesWithDouble) {
  const auto f = [](auto& v) { return linear_cross_entropy(v[0], v[1], v[2], kLabels, 1, {}); };
  expect_bf16_agrees(f, {randn({4, 30}), randn({61, 30}), randn({61})}, {0}, 0.01);
}

TEST(LinearCrossEntropy, FloatAgreesWithDouble) {
  const auto f = [](auto& v) { return linear_cross_entropy(v[0], v[1], v[2], kLabels, 1, {}); };
  expect_float_agrees(f, {randn({4, 30}), randn({61, 30}), randn({61})}, 5e-5);
}

// Two classes with logits 0 and +-1e4: the losses are 0 and 1e4, the sums count them, nothing overflows.
TEST(LinearCrossEntropy, SurvivesEnormousLogits) {
  Tensor x = Tensor::uninitialized({2, 1}, DType::f32);
  x.data<float>()[0] = 1e4f;
  x.data<float>()[1] = -1e4f;
  Tensor w = Tensor::zeros({2, 1}, DType::f32);
  w.data<float>()[0] = 1;
  LossSums sums;
  std::vector<double> losses;
  const std::vector<int32_t> labels = {0, 0};
  const Var loss = linear_cross_entropy(Var(x), Var(w), Var(Tensor::zeros({2}, DType::f32)), labels, 0.5,
                                        {.sums = &sums, .row_losses = &losses});
  EXPECT_FLOAT_EQ(*loss.value().data<float>(), 5e3f);
  EXPECT_EQ(losses, (std::vector<double>{0, 1e4}));
  EXPECT_EQ(sums.labels, 2);
  EXPECT_EQ(sums.correct, 1);
  EXPECT_DOUBLE_EQ(sums.loss, 1e4);
}

TEST(LinearCrossEntropy, WithoutRowsIsZeroAndLeavesZeroGradients) {
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({0, 3}, DType::f64));
  const Var w = tape.leaf(randn({7, 3}));
  const Var b = tape.leaf(randn({7}));
  const Var loss = linear_cross_entropy(x, w, b, {}, 1, {});
  EXPECT_EQ(*loss.value().data<double>(), 0);
  tape.backward(loss);
  for (const double g : Tape::gradient(w).span<double>()) EXPECT_EQ(g, 0);
  for (const double g : Tape::gradient(b).span<double>()) EXPECT_EQ(g, 0);
}

TEST(LinearCrossEntropy, RefusesALabelOutsideTheClasses) {
  const std::vector<int32_t> labels = {7};
  EXPECT_THROW(linear_cross_entropy(Var(randn({1, 3})), Var(randn({7, 3})), Var(randn({7})), labels, 1, {}),
               ShapeError);
}

}  // namespace
}  // namespace bertha
