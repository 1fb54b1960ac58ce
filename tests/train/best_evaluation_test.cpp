#include "train/best_evaluation.h"

#include <gtest/gtest.h>

#include <limits>

namespace bertha {
namespace {

struct Evaluation {
  int64_t step;
  double value;
};

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

TEST(BestEvaluation, IsTheFirstOfTheBestThatAreFinite) {
  const std::vector<Evaluation> all = {{1, kNan}, {2, 3}, {3, -kInfinity}, {4, 1}, {5, 1}, {6, kInfinity}, {7, kNan}};
  EXPECT_EQ(best_of(all, {"loss", false})->step, 4);
  EXPECT_EQ(best_of(all, {"accuracy", true})->step, 2);
}

TEST(BestEvaluation, IsNoneWhereNoneIsFinite) {
  EXPECT_EQ(best_of(std::vector<Evaluation>{{1, kNan}, {2, kInfinity}}, {"loss", false}), nullptr);
  EXPECT_EQ(best_of(std::vector<Evaluation>(), {"loss", false}), nullptr);
}

TEST(EvaluationMetric, IsTheLossOrWhatDecides) {
  EXPECT_EQ(evaluation_metric(std::nullopt).name, "loss");
  EXPECT_FALSE(evaluation_metric(std::nullopt).higher_is_better);
  EXPECT_EQ(evaluation_metric(Task::kSequenceClassification).name, "accuracy");
  EXPECT_TRUE(evaluation_metric(Task::kSequenceClassification).higher_is_better);
}

}  // namespace
}  // namespace bertha
