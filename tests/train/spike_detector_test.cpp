#include "train/spike_detector.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bertha {
namespace {

TEST(RobustZScore, IsTheDistanceFromTheMedianInRobustDeviations) {
  EXPECT_DOUBLE_EQ(robust_z_score({1, 2, 3, 4, 5, 6, 7, 8, 9}, 20), (20 - 5) / (1.4826 * 2));
  EXPECT_DOUBLE_EQ(robust_z_score({9, 1, 7, 3}, 11), (11 - 5) / (1.4826 * 3)) << "an even number, in any order";
  EXPECT_DOUBLE_EQ(robust_z_score({1, 2, 3, 4, 5, 6, 7, 8, 1e9}, 20), (20 - 5) / (1.4826 * 2)) << "an outlier";
  EXPECT_LT(robust_z_score({1, 2, 3}, 1), 0);
  EXPECT_EQ(robust_z_score({3, 3, 3}, 4), 0) << "a window that does not vary is no measure";
  EXPECT_EQ(robust_z_score({}, 4), 0);
}

// Losses about 7 and norms about 2, as early in pretraining.
SpikeDetector about_seven_and_two(int64_t steps) {
  SpikeDetector detector(10, 9);
  for (int64_t i = 0; i < steps; ++i) {
    const double offset = 0.01 * static_cast<double>(i * 7 % 9);
    detector.add_good_step(7 + offset, 2 + offset);
  }
  return detector;
}

TEST(SpikeDetector, NamesWhatIsFarAboveTheMedian) {
  const SpikeDetector detector = about_seven_and_two(9);
  EXPECT_EQ(detector.judge(7.1, 2.1), "");
  EXPECT_EQ(detector.judge(8, 2), "loss 8 is 32.4 robust standard deviations above 7.04, the median of 9 steps");
  EXPECT_EQ(detector.judge(7, 4),
            "gradient norm 4 is 66.1 robust standard deviations above 2.04, the median of 9 steps");
}

TEST(SpikeDetector, AFallIsNoSpike) {
  EXPECT_EQ(about_seven_and_two(9).judge(1, 0.1), "");
}

TEST(SpikeDetector, WaitsForAWholeWindow) {
  EXPECT_EQ(about_seven_and_two(8).judge(100, 100), "");
  EXPECT_NE(about_seven_and_two(9).judge(100, 100), "");
}

TEST(SpikeDetector, ForgetsWhatLiesBeforeTheWindow) {
  SpikeDetector detector = about_seven_and_two(20);
  for (int64_t i = 0; i < 9; ++i)
    detector.add_good_step(100 + static_cast<double>(i), 2 + 0.01 * static_cast<double>(i));
  EXPECT_EQ(detector.judge(105, 2), "");
}

TEST(SpikeDetector, CountsSpikesInARow) {
  SpikeDetector detector = about_seven_and_two(9);
  detector.add_spike();
  detector.add_spike();
  EXPECT_EQ(detector.in_a_row(), 2);
  EXPECT_NE(detector.judge(8, 2), "") << "a spike does not widen the window";
  detector.add_good_step(7, 2);
  EXPECT_EQ(detector.in_a_row(), 0);
}

}  // namespace
}  // namespace bertha
