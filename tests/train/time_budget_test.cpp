#include "train/time_budget.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

using Work = TimeBudget::Work;

class TimeBudgetTest : public ::testing::Test {
 protected:
  TimeBudget budget(double used) {
    return {std::chrono::seconds(100), used, [this] { return now_; }};
  }

  void take(TimeBudget& budget, Work work, double seconds) {
    budget.begin();
    now_ += seconds;
    budget.finish(work);
  }

  double now_ = 5000;
};

TEST_F(TimeBudgetTest, CountsFromItsStartAndWhatEarlierStartsUsed) {
  const TimeBudget budget = this->budget(20);
  EXPECT_EQ(budget.used(), 20);
  now_ += 30;
  EXPECT_EQ(budget.used(), 50);
  EXPECT_EQ(budget.share(), 0.5);
  now_ += 60;
  EXPECT_EQ(budget.share(), 1);
  EXPECT_FALSE(budget.was_spent()) << "by earlier starts";
  EXPECT_TRUE(this->budget(100).was_spent());
}

TEST_F(TimeBudgetTest, KeepsTimeForTheLastEvaluationAndCheckpoint) {
  TimeBudget budget = this->budget(0);
  take(budget, Work::kEvaluation, 12);
  take(budget, Work::kEvaluation, 15);
  take(budget, Work::kEvaluation, 9);
  take(budget, Work::kCheckpoint, 5);
  EXPECT_EQ(budget.share(), 41.0 / 80) << "of 100 - 15 - 5";
  now_ += 39;
  EXPECT_EQ(budget.share(), 1);
}

TEST_F(TimeBudgetTest, TheLastStepIsTheOneBehindWhichNoOtherFits) {
  TimeBudget budget = this->budget(0);
  take(budget, Work::kStep, 10);
  take(budget, Work::kEvaluation, 15);
  take(budget, Work::kCheckpoint, 5);
  now_ += 40;
  EXPECT_EQ(budget.used(), 70);
  EXPECT_FALSE(budget.is_last_step(0));
  EXPECT_TRUE(budget.is_last_step(15)) << "an evaluation is due before the next step";
  now_ += 1;
  EXPECT_TRUE(budget.is_last_step(0));
}

TEST_F(TimeBudgetTest, ASlowFirstStepIsForgotten) {
  TimeBudget budget = this->budget(0);
  take(budget, Work::kStep, 80);
  EXPECT_EQ(budget.expected(Work::kStep), 80);
  for (int i = 0; i < 60; ++i) take(budget, Work::kStep, 1);
  EXPECT_EQ(budget.expected(Work::kStep), 1);
}

TEST_F(TimeBudgetTest, TriesWhatWasNotMadeInTheFirstTenth) {
  TimeBudget budget = this->budget(50);
  EXPECT_FALSE(budget.is_trial_due(Work::kEvaluation, 0.54)) << "a tenth of the half that is left";
  EXPECT_TRUE(budget.is_trial_due(Work::kEvaluation, 0.56));
  take(budget, Work::kEvaluation, 3);
  EXPECT_FALSE(budget.is_trial_due(Work::kEvaluation, 0.56));
  EXPECT_TRUE(budget.is_trial_due(Work::kCheckpoint, 0.56));
}

TEST_F(TimeBudgetTest, AtTheEndAllIsUsed) {
  TimeBudget budget = this->budget(0);
  now_ += 97;
  budget.end();
  EXPECT_EQ(budget.used(), 100);
  now_ += 5;
  EXPECT_EQ(budget.used(), 102);
}

}  // namespace
}  // namespace bertha
