#include "data/unigram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

constexpr double kTolerance = 1e-12;

/// Of words, behind special tokens that occur often.
Unigram unigram_of_words(std::initializer_list<int64_t> counts) {
  std::vector<int64_t> all(5, 1000);
  all.insert(all.end(), counts);
  return unigram_of(all, numbered_words(static_cast<int32_t>(counts.size())));
}

TEST(Unigram, EqualCountsHaveTheLogarithmOfTheirNumber) {
  const Unigram unigram = unigram_of_words({7, 0, 7, 7, 7});
  EXPECT_EQ(unigram.tokens, 28);
  EXPECT_EQ(unigram.distinct, 4);
  EXPECT_EQ(unigram.most_frequent_share, 0.25);
  EXPECT_NEAR(unigram.entropy, std::log(4.0), kTolerance);
}

TEST(Unigram, LeavesSpecialTokensOut) {
  const Unigram unigram = unigram_of_words({1, 3});
  EXPECT_EQ(unigram.tokens, 4);
  EXPECT_EQ(unigram.most_frequent, 6);
  EXPECT_EQ(unigram.most_frequent_share, 0.75);
  EXPECT_NEAR(unigram.entropy, -0.25 * std::log(0.25) - 0.75 * std::log(0.75), kTolerance);
}

TEST(Unigram, OfNothingOrOneTokenIsZero) {
  EXPECT_EQ(unigram_of_words({0, 0}).most_frequent, -1);
  EXPECT_EQ(unigram_of_words({0, 0}).entropy, 0);
  EXPECT_EQ(unigram_of_words({0, 123457}).entropy, 0);
}

}  // namespace
}  // namespace bertha
