#include "visualize/curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace bertha {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Of a step: noise that never repeats.
double value_at(int64_t step) {
  return std::sin(static_cast<double>(step) * 12.9898) + 1e-9 * static_cast<double>(step);
}

Curve curve_of(int64_t steps) {
  Curve curve;
  for (int64_t step = 1; step <= steps; ++step) curve.add(step, value_at(step));
  return curve;
}

TEST(Curve, KeepsEveryPointWhereThereAreFew) {
  const Curve curve = curve_of(998);
  EXPECT_EQ(curve.width(), 1);
  const std::vector<CurvePoint> points = curve.points();
  ASSERT_EQ(points.size(), 998u);
  for (int64_t step = 1; step <= 998; ++step) {
    EXPECT_EQ(points[static_cast<size_t>(step - 1)], (CurvePoint{step, value_at(step)}));
  }
  EXPECT_EQ(curve.means(), points);
}

TEST(Curve, KeepsTheExtremesOfEachBucketAndBothEnds) {
  for (const int64_t steps : {999, 1000, 1997, 5000, 123457, 1000000}) {
    const Curve curve = curve_of(steps);
    const std::vector<CurvePoint> points = curve.points();
    EXPECT_LE(points.size(), Curve::kMostPoints) << steps;
    EXPECT_GE(points.size(), Curve::kMostPoints / 2 - 10) << steps;
    EXPECT_TRUE(std::ranges::is_sorted(points, {}, &CurvePoint::step));
    EXPECT_EQ(points.front(), (CurvePoint{1, value_at(1)}));
    EXPECT_EQ(points.back(), (CurvePoint{steps, value_at(steps)}));
    for (int64_t begin = 1; begin <= steps; begin += curve.width()) {
      CurvePoint low{0, 9}, high{0, -9};
      for (int64_t step = begin; step < std::min(begin + curve.width(), steps + 1); ++step) {
        if (value_at(step) < low.value) low = {step, value_at(step)};
        if (value_at(step) > high.value) high = {step, value_at(step)};
      }
      ASSERT_EQ(std::ranges::count(points, low), 1) << "the lowest of " << begin << " in " << steps;
      ASSERT_EQ(std::ranges::count(points, high), 1) << "the highest of " << begin << " in " << steps;
    }
  }
}

TEST(Curve, ASpikeOfOneStepInAMillionSurvives) {
  Curve curve;
  for (int64_t step = 1; step <= 1'000'000; ++step) curve.add(step, step == 777'777 ? 50 : value_at(step));
  EXPECT_EQ(std::ranges::count(curve.points(), CurvePoint{777'777, 50}), 1);
}

TEST(Curve, MeansAreThoseOfTheBuckets) {
  const Curve curve = curve_of(5000);
  ASSERT_EQ(curve.width(), 8);
  const std::vector<CurvePoint> means = curve.means();
  ASSERT_EQ(means.size(), 625u);
  double sum = 0;
  for (int64_t step = 9; step <= 16; ++step) sum += value_at(step);
  EXPECT_EQ(means[1].step, 12);
  EXPECT_NEAR(means[1].value, sum / 8, 1e-12);
  double all = 0;
  for (int64_t step = 1; step <= 5000; ++step) all += value_at(step);
  EXPECT_NEAR(curve.mean(), all / 5000, 1e-12);
}

TEST(Curve, WhatIsNotFiniteIsAGapAndHidesNothing) {
  Curve few;
  few.add(1, 5);
  few.add(2, INFINITY);
  few.add(3, 6);
  ASSERT_EQ(few.points().size(), 3u);
  EXPECT_TRUE(std::isnan(few.points()[1].value));
  EXPECT_EQ(few.mean(), 5.5);

  Curve many;
  for (int64_t step = 1; step <= 4000; ++step) many.add(step, step % 4 == 2 ? value_at(step) : kNan);
  for (const CurvePoint& point : many.points()) {
    EXPECT_EQ(std::isnan(point.value), point.step % 4 != 2) << point.step;  // the first and the last are gaps
  }
}

TEST(Curve, OfNothingThereIsNothing) {
  const Curve curve;
  EXPECT_TRUE(curve.points().empty());
  EXPECT_TRUE(curve.means().empty());
  EXPECT_TRUE(std::isnan(curve.mean()));
  EXPECT_TRUE(std::isnan(curve.last().value));
}

}  // namespace
}  // namespace bertha
