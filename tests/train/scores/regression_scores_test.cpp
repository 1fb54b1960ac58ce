#include "train/scores/regression_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/train/scores/reference_scores.h"

namespace bertha {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;

TEST(RegressionScores, OfASmallExample) {
  // Deviations -1.5 -0.5 0.5 1.5 and -1.5 -0.5 -1.5 3.5; ranks 0 1 2 3 and 0.5 2 0.5 3.
  const auto scores = regression_scores(Numbers{1, 2, 3, 4}, Numbers{2, 3, 2, 7});
  EXPECT_DOUBLE_EQ(scores.mse, (1 + 1 + 1 + 9) / 4.0);
  EXPECT_DOUBLE_EQ(scores.pearson, 7 / std::sqrt(5.0 * 17.0));
  EXPECT_DOUBLE_EQ(scores.spearman, 3 / std::sqrt(5.0 * 4.5));
}

TEST(RegressionScores, OfALineAreOne) {
  const auto scores = regression_scores(Numbers{0.1, 0.2, 0.7}, Numbers{1.2, 1.4, 2.4});
  EXPECT_NEAR(scores.pearson, 1, 1e-15);
  EXPECT_DOUBLE_EQ(regression_scores(Numbers{1, 2, 3}, Numbers{-1, -8, -27}).spearman, -1);
}

TEST(RegressionScores, WhereAnythingIsConstantThereIsNoCorrelation) {
  for (const Numbers& constant : {Numbers{0.1, 0.1, 0.1}, Numbers{1e300, 1e300, 1e300}}) {
    const auto scores = regression_scores(Numbers{1, 2, 3}, constant);
    EXPECT_TRUE(std::isnan(scores.pearson));
    EXPECT_TRUE(std::isnan(scores.spearman));
    EXPECT_TRUE(std::isnan(regression_scores(constant, Numbers{1, 2, 3}).pearson));
  }
  EXPECT_TRUE(std::isnan(regression_scores(Numbers{1}, Numbers{2}).pearson));
  EXPECT_EQ(regression_scores(Numbers{1}, Numbers{2}).mse, 1);
}

TEST(RegressionScores, WhereAnythingIsNotFiniteThereIsNoCorrelation) {
  for (const double odd : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const auto scores = regression_scores(Numbers{1, 2, 3, 4}, Numbers{1, odd, 2, odd});
    EXPECT_TRUE(std::isnan(scores.pearson));
    EXPECT_TRUE(std::isnan(scores.spearman));
    EXPECT_FALSE(std::isfinite(scores.mse));
  }
}

TEST(RegressionScores, OfNothingAreNaN) {
  EXPECT_TRUE(std::isnan(regression_scores(Numbers{}, Numbers{}).mse));
  EXPECT_TRUE(std::isnan(regression_scores(Numbers{}, Numbers{}).pearson));
  EXPECT_THROW(regression_scores(Numbers{1}, Numbers{}), Error);
}

TEST(RegressionScoresParity, EqualSciPyOnRandomNumbers) {
  if (!python_has("scipy, sklearn"))
    GTEST_SKIP() << python() << " has no scipy and sklearn (BERTHA_PYTHON names another)";
  RandomStream random(3, "test");
  json cases = json::array();
  for (uint32_t i = 0; i < 150; ++i) {
    const uint32_t size = 2 + random.below(60), values = 1 + random.below(i % 3 == 0 ? 5 : 100'000);
    Numbers gold, predicted;
    for (uint32_t k = 0; k < size; ++k) {
      gold.push_back(random.below(values) / 7.0 - 3);
      predicted.push_back(i % 2 * gold.back() + random.below(values) / 3.0);
    }
    cases.push_back({{"gold", gold}, {"predicted", predicted}});
  }
  const json references = reference_scores("regression", cases);
  ASSERT_EQ(references.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].dump());
    const auto scores = regression_scores(cases[i]["gold"].get<Numbers>(), cases[i]["predicted"].get<Numbers>());
    expect_score(references[i]["pearson"], scores.pearson, "pearson");
    expect_score(references[i]["spearman"], scores.spearman, "spearman");
    EXPECT_NEAR(scores.mse, references[i]["mse"].get<double>(), 1e-12 * (1 + scores.mse));
  }
}

}  // namespace
}  // namespace bertha
