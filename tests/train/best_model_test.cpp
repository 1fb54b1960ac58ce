#include "train/best_model.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bertha {
namespace {

TEST(BestModel, KeepsTheHighestAndTheFirstOfEquals) {
  BestModel best("f1", std::nullopt);
  EXPECT_FALSE(best.step().has_value());
  EXPECT_TRUE(best.add(10, 0.5));
  EXPECT_FALSE(best.add(20, 0.4));
  EXPECT_TRUE(best.add(30, 0.6));
  EXPECT_FALSE(best.add(40, 0.6));
  EXPECT_EQ(best.step(), 30);
  EXPECT_FALSE(best.is_over()) << "without patience a run has its length";
}

TEST(BestModel, EndsAfterAsManyWithoutABetterOne) {
  BestModel best("f1", 2);
  best.add(10, 0.5);
  best.add(20, 0.4);
  EXPECT_FALSE(best.is_over());
  best.add(30, 0.6);
  best.add(40, 0.5);
  EXPECT_FALSE(best.is_over()) << "a better one in between starts anew";
  best.add(50, 0.5);
  EXPECT_TRUE(best.is_over());
}

TEST(BestModel, AnythingIsBetterThanNotANumber) {
  BestModel best("pearson", std::nullopt);
  EXPECT_TRUE(best.add(10, NAN));
  EXPECT_FALSE(best.add(20, NAN));
  EXPECT_TRUE(best.add(30, -1));
  EXPECT_FALSE(best.add(40, NAN));
  EXPECT_EQ(best.step(), 30);
}

}  // namespace
}  // namespace bertha
