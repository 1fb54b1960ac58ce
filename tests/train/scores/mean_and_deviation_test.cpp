#include "train/scores/mean_and_deviation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bertha {
namespace {

using Numbers = std::vector<double>;

TEST(MeanAndDeviation, OfSeveralNumbers) {
  const auto result = mean_and_deviation(Numbers{2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(result.mean, 5);
  EXPECT_DOUBLE_EQ(result.deviation, std::sqrt(32.0 / 7));
  EXPECT_EQ(mean_and_deviation(Numbers{3, 3}).deviation, 0);
}

TEST(MeanAndDeviation, OneNumberHasNoDeviation) {
  EXPECT_EQ(mean_and_deviation(Numbers{3}).mean, 3);
  EXPECT_TRUE(std::isnan(mean_and_deviation(Numbers{3}).deviation));
  EXPECT_TRUE(std::isnan(mean_and_deviation(Numbers{}).mean));
  EXPECT_TRUE(std::isnan(mean_and_deviation(Numbers{}).deviation));
}

}  // namespace
}  // namespace bertha
