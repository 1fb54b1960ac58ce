#include "train/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace bertha {
namespace {

void expect_rates(const Schedule& schedule, const std::vector<double>& expected) {
  for (size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(schedule.learning_rate(static_cast<int64_t>(step)), expected[step], 1e-15) << "step " << step;
  }
}

TEST(Schedule, LinearRisesToThePeakAndFallsToZero) {
  expect_rates({ScheduleKind::kLinear, 0.8, 4, 12}, {0.2, 0.4, 0.6, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0});
}

TEST(Schedule, PolynomialFallsWithTheSquareRoot) {
  expect_rates({ScheduleKind::kPolynomial, 2, 2, 18}, {1, 2, 2, 1.9364916731037085});
  EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::kPolynomial, 2, 2, 18}.learning_rate(14)), 1);
  EXPECT_EQ((Schedule{ScheduleKind::kPolynomial, 2, 2, 18}.learning_rate(18)), 0);
}

TEST(Schedule, CosineFallsAlongHalfAWave) {
  expect_rates({ScheduleKind::kCosine, 1, 1, 7}, {1, 1, 0.9330127018922193, 0.75, 0.5, 0.25, 0.0669872981077807, 0});
}

TEST(Schedule, ConstantStaysAtThePeak) {
  expect_rates({ScheduleKind::kConstant, 0.3, 3, 6}, {0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3});
}

TEST(Schedule, WarmupStableDecayFallsOverTheLastTenth) {
  const Schedule schedule{ScheduleKind::kWarmupStableDecay, 1, 10, 40};
  EXPECT_DOUBLE_EQ(schedule.learning_rate(4), 0.5);
  for (int64_t step = 9; step <= 36; ++step) EXPECT_EQ(schedule.learning_rate(step), 1);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(37), 0.75);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(39), 0.25);
  EXPECT_EQ(schedule.learning_rate(40), 0);
}

TEST(Schedule, WarmupLeftOutIsATenth) {
  const Schedule schedule{ScheduleKind::kLinear, 1, std::nullopt, 40};
  EXPECT_DOUBLE_EQ(schedule.learning_rate(1), 0.5);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(4), 1);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(22), 0.5);
}

TEST(Schedule, FollowsTheShareOfATimeBudget) {
  const auto rate = [](ScheduleKind kind, double share) {
    return Schedule{kind, 2, std::nullopt, 0}.learning_rate(77, share);
  };
  for (const auto kind : {ScheduleKind::kLinear, ScheduleKind::kPolynomial, ScheduleKind::kCosine,
                          ScheduleKind::kConstant, ScheduleKind::kWarmupStableDecay}) {
    EXPECT_DOUBLE_EQ(rate(kind, 0.05), 1) << "in the middle of the warm-up";
    EXPECT_DOUBLE_EQ(rate(kind, 0.1), 2);
    EXPECT_EQ(rate(kind, 1), kind == ScheduleKind::kConstant ? 2 : 0);
  }
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::kLinear, 0.55), 1);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::kPolynomial, 0.775), 1);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::kCosine, 0.55), 1);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::kWarmupStableDecay, 0.9), 2);
  EXPECT_DOUBLE_EQ(rate(ScheduleKind::kWarmupStableDecay, 0.95), 1);
}

TEST(Schedule, WarmupStepsStayStepsUnderATimeBudget) {
  const Schedule schedule{ScheduleKind::kLinear, 2, 10, 0};
  EXPECT_DOUBLE_EQ(schedule.learning_rate(4, 0.1), 1);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(10, 0.2), 2);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(30, 0.6), 1) << "the warm-up took a share of 0.2";
  EXPECT_EQ(schedule.learning_rate(50, 1), 0);
  EXPECT_EQ(schedule.learning_rate(10, 1), 0) << "nothing but warm-up";
  EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::kLinear, 2, 0, 0}.learning_rate(0, 0)), 2);
}

TEST(Schedule, EveryKindIsFiniteWithoutWarmupAndWithNothingElse) {
  for (const auto kind : {ScheduleKind::kLinear, ScheduleKind::kPolynomial, ScheduleKind::kCosine,
                          ScheduleKind::kConstant, ScheduleKind::kWarmupStableDecay}) {
    EXPECT_EQ((Schedule{kind, 1, 0, 5}.learning_rate(0)), 1);
    EXPECT_EQ((Schedule{kind, 1, 5, 5}.learning_rate(4)), 1);
    EXPECT_EQ((Schedule{kind, 1, 5, 5}.learning_rate(5)), kind == ScheduleKind::kConstant ? 1 : 0);
  }
}

}  // namespace
}  // namespace bertha
