#include "autograd/ops/task_losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autograd/ops/elementwise.h"
#include "tests/autograd/gradcheck.h"

namespace bertha {
namespace {

using Labels = std::vector<int32_t>;
using Targets = std::vector<float>;

Tensor numbers(Shape shape, const std::vector<double>& values) {
  Tensor tensor = Tensor::uninitialized(shape, DType::f64);
  std::ranges::copy(values, tensor.data<double>());
  return tensor;
}

double value(const Var& loss) {
  return *loss.value().data<double>();
}

TEST(CrossEntropy, IsTheMeanByHand) {
  LossSums sums;
  const Labels labels = {1, 0};
  const Var loss = cross_entropy(Var(numbers({2, 2}, {0, std::log(3.0), 0, std::log(3.0)})), labels, 0.5, sums);
  EXPECT_NEAR(value(loss), 0.5 * (std::log(4.0 / 3) + std::log(4.0)), 1e-12);
  EXPECT_EQ(sums.labels, 2);
  EXPECT_EQ(sums.correct, 1);
}

TEST(CrossEntropy, GradientMatchesFiniteDifferences) {
  const Labels labels = {2, 0, 4};
  LossSums sums;
  EXPECT_TRUE(gradcheck([&](auto& v) { return cross_entropy(v[0], labels, 0.3, sums); }, {randn({3, 5})}));
}

TEST(CrossEntropy, HugeLogitsStayFinite) {
  LossSums sums;
  const Labels labels = {0, 1};
  const Var loss = cross_entropy(Var(numbers({2, 2}, {1e4, -1e4, 1e4, -1e4})), labels, 1, sums);
  EXPECT_NEAR(value(loss), 2e4, 1e-9);
}

TEST(CrossEntropy, PassesOverRowsWithoutALabel) {
  LossSums sums, alone;
  const Labels labels = {-1, 1}, one = {1};
  const Var loss = cross_entropy(Var(numbers({2, 2}, {5, 7, 0, 1})), labels, 1, sums);
  EXPECT_EQ(value(loss), value(cross_entropy(Var(numbers({1, 2}, {0, 1})), one, 1, alone)));
  EXPECT_EQ(sums.labels, 1);
  EXPECT_EQ(sums.correct, 1);
  EXPECT_TRUE(gradcheck([&](auto& v) { return cross_entropy(v[0], labels, 1, sums); }, {randn({2, 3})}));
}

TEST(CrossEntropy, RefusesLabelsThatAreNoClass) {
  LossSums sums;
  for (const Labels& labels : {Labels{2}, Labels{0, 1}}) {
    EXPECT_THROW(cross_entropy(Var(numbers({1, 2}, {0, 0})), labels, 1, sums), ShapeError);
  }
}

TEST(BinaryCrossEntropy, IsTheMeanByHand) {
  LossSums sums;
  const Targets targets = {1, 0, 1};
  const Var loss = binary_cross_entropy(Var(numbers({1, 3}, {0, std::log(3.0), -std::log(3.0)})), targets, 1, sums);
  EXPECT_NEAR(value(loss), std::log(2.0) + std::log(4.0) + std::log(4.0), 1e-12);
  EXPECT_EQ(sums.labels, 3);
  EXPECT_EQ(sums.correct, 0);
}

TEST(BinaryCrossEntropy, GradientMatchesFiniteDifferences) {
  const Targets targets = {1, 0, 0.25f, 1, 0, 0};
  LossSums sums;
  EXPECT_TRUE(gradcheck([&](auto& v) { return binary_cross_entropy(v[0], targets, 0.7, sums); }, {randn({2, 3})}));
}

TEST(BinaryCrossEntropy, HugeLogitsStayFinite) {
  LossSums sums;
  const Targets targets = {0, 1};
  EXPECT_NEAR(value(binary_cross_entropy(Var(numbers({1, 2}, {1e4, -1e4})), targets, 1, sums)), 2e4, 1e-9);
}

TEST(SquaredError, IsTheSumByHandWithItsGradient) {
  LossSums sums;
  const Targets targets = {1, -2};
  EXPECT_NEAR(value(squared_error(Var(numbers({2, 1}, {3, -2.5})), targets, 2, sums)), 2 * (4 + 0.25), 1e-12);
  EXPECT_TRUE(gradcheck([&](auto& v) { return squared_error(v[0], targets, 0.7, sums); }, {randn({2, 1})}));
  EXPECT_THROW(squared_error(Var(numbers({1, 1}, {3})), targets, 2, sums), ShapeError);
}

// Two segments of 3 and 2 rows; the second column is the one that counts.
TEST(SegmentCrossEntropy, SharesOneSegmentAndColumn) {
  LossSums sums;
  const Labels segments = {0, 3, 5};
  const Labels labels = {1, 4};
  const std::vector<double> logits = {9, 0, 9, std::log(2.0), 9, 0, 9, 0, 9, 0};
  const Var loss = segment_cross_entropy(Var(numbers({5, 2}, logits)), 1, segments, labels, 1, sums);
  EXPECT_NEAR(value(loss), std::log(2.0) + std::log(2.0), 1e-12);
  EXPECT_EQ(sums.labels, 2);
}

TEST(SegmentCrossEntropy, GradientMatchesFiniteDifferencesAndIsZeroElsewhere) {
  LossSums sums;
  const Labels segments = {0, 3, 4, 7};
  const Labels labels = {2, -1, 4};
  const Function f = [&](auto& v) { return segment_cross_entropy(v[0], 0, segments, labels, 0.5, sums); };
  EXPECT_TRUE(gradcheck(f, {randn({7, 2})}));
  EXPECT_EQ(sums.labels % 2, 0) << "the segment without a label makes no term";
}

TEST(SegmentCrossEntropy, RefusesALabelOfAnotherSegment) {
  LossSums sums;
  const Labels segments = {0, 3, 5};
  const Labels labels = {3, 4};
  EXPECT_THROW(segment_cross_entropy(Var(randn({5, 1})), 0, segments, labels, 1, sums), ShapeError);
}

TEST(SoftCrossEntropy, IsZeroWhereBothAgreeAndCountsThat) {
  LossSums sums;
  const Tensor logits = randn({4, 3});
  EXPECT_NEAR(value(soft_cross_entropy(Var(logits), logits, 2, 1, sums)), 0, 1e-12);
  EXPECT_EQ(sums.labels, 4);
  EXPECT_EQ(sums.correct, 4);
}

TEST(SoftCrossEntropy, IsTheDivergenceByHand) {
  LossSums sums;
  const Tensor teacher = numbers({1, 2}, {0, 2 * std::log(3.0)});  // at temperature 2: 1/4, 3/4
  const Var loss = soft_cross_entropy(Var(numbers({1, 2}, {0, 0})), teacher, 2, 1, sums);
  EXPECT_NEAR(value(loss), 4 * (0.25 * std::log(0.5) + 0.75 * std::log(1.5)), 1e-12);
}

TEST(SoftCrossEntropy, GradientMatchesFiniteDifferences) {
  LossSums sums;
  const Tensor teacher = randn({3, 4});
  EXPECT_TRUE(gradcheck([&](auto& v) { return soft_cross_entropy(v[0], teacher, 3, 0.7, sums); }, {randn({3, 4})}));
}

TEST(SoftCrossEntropy, HugeLogitsStayExact) {
  LossSums sums;
  const Tensor teacher = numbers({2, 2}, {1e4, -1e4, 1e4, -1e4});
  const Var loss = soft_cross_entropy(Var(numbers({2, 2}, {-1e4, 1e4, 1e4, -1e4})), teacher, 2, 1, sums);
  EXPECT_NEAR(value(loss), 4 * 1e4, 1e-9);
}

TEST(SoftBinaryCrossEntropy, IsTheDivergenceByHand) {
  LossSums sums;
  const Tensor teacher = numbers({1, 2}, {2 * std::log(3.0), -2 * std::log(3.0)});  // at temperature 2: 3/4, 1/4
  const Var loss = soft_binary_cross_entropy(Var(numbers({1, 2}, {0, 0})), teacher, 2, 0.5, sums);
  EXPECT_NEAR(value(loss), 0.5 * 2 * 4 * (0.25 * std::log(0.5) + 0.75 * std::log(1.5)), 1e-12);
  EXPECT_EQ(sums.labels, 2);
  EXPECT_EQ(sums.correct, 1) << "a logit of 0 says no";
}

TEST(SoftBinaryCrossEntropy, GradientMatchesFiniteDifferences) {
  LossSums sums;
  const Tensor teacher = randn({3, 4});
  const auto f = [&](auto& v) { return soft_binary_cross_entropy(v[0], teacher, 3, 0.7, sums); };
  EXPECT_TRUE(gradcheck(f, {randn({3, 4})}));
}

// What a label says of one class, a teacher that is sure says too.
TEST(SoftBinaryCrossEntropy, HugeLogitsStayFinite) {
  LossSums sums;
  const Tensor teacher = numbers({1, 3}, {1e4, -1e4, 1e4});
  const Var loss = soft_binary_cross_entropy(Var(numbers({1, 3}, {-1e4, 1e4, 1e4})), teacher, 1, 1, sums);
  EXPECT_NEAR(value(loss), 2e4, 1e-9);
}

// Two segments of 3 and 2 rows; the second column is the one that counts.
TEST(SoftSegmentCrossEntropy, IsTheDivergenceByHand) {
  LossSums sums;
  const Labels segments = {0, 3, 5};
  const double third = 2 * std::log(2.0);  // at temperature 2: shares of 1/4, 1/2, 1/4 and of 1/3, 2/3
  const Tensor teacher = numbers({5, 2}, {7, 0, 1, third, 9, 0, 4, 0, 5, third});
  const Var loss = soft_segment_cross_entropy(Var(numbers({5, 2}, {1, 0, 9, 0, 3, 0, 2, 0, 8, 0})), 1, segments,
                                              teacher, 2, 1, sums);
  const double first = 2 * 0.25 * std::log(0.75) + 0.5 * std::log(1.5);
  const double second = std::log(2.0 / 3) / 3 + 2 * std::log(4.0 / 3) / 3;
  EXPECT_NEAR(value(loss), 4 * (first + second), 1e-12);
  EXPECT_EQ(sums.labels, 2);
}

TEST(SoftSegmentCrossEntropy, GradientMatchesFiniteDifferencesAndIsZeroElsewhere) {
  LossSums sums;
  const Labels segments = {0, 3, 4, 7};
  const Tensor teacher = randn({7, 2});
  for (const int64_t column : {0, 1}) {
    const auto f = [&](auto& v) { return soft_segment_cross_entropy(v[0], column, segments, teacher, 3, 0.7, sums); };
    EXPECT_TRUE(gradcheck(f, {randn({7, 2})}));
  }
}

TEST(SoftTargets, RefuseATeacherOfAnotherShapeAndSegmentsThatEndElsewhere) {
  LossSums sums;
  const Var logits(randn({5, 2}));
  const Labels segments = {0, 3, 5};
  const Labels short_segments = {0, 3, 4};
  EXPECT_THROW(soft_cross_entropy(logits, randn({5, 3}), 2, 1, sums), ShapeError);
  EXPECT_THROW(soft_binary_cross_entropy(logits, randn({2, 5}), 2, 1, sums), ShapeError);
  EXPECT_THROW(soft_segment_cross_entropy(logits, 0, segments, randn({5, 1}), 2, 1, sums), ShapeError);
  EXPECT_THROW(soft_segment_cross_entropy(logits, 2, segments, randn({5, 2}), 2, 1, sums), ShapeError);
  EXPECT_THROW(soft_segment_cross_entropy(logits, 0, short_segments, randn({5, 2}), 2, 1, sums), ShapeError);
}

TEST(TaskLosses, AddToAGradientThatIsThere) {
  LossSums sums;
  const Targets targets = {1, 0};
  const Function twice = [&](auto& v) {
    return add(squared_error(v[0], targets, 1, sums), binary_cross_entropy(v[0], targets, 0.5, sums));
  };
  EXPECT_TRUE(gradcheck(twice, {randn({2, 1})}));
}

}  // namespace
}  // namespace bertha
