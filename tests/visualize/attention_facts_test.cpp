#include "visualize/attention_facts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bertha {
namespace {

TEST(AttentionFacts, AreMeansOverTheQueries) {
  const std::vector<float> weights = {1.0F, 0.0F,  0.0F,   //
                                      0.5F, 0.25F, 0.25F,  //
                                      0.0F, 0.0F,  1.0F};
  const HeadFacts facts = head_facts(weights, {.first = {0}, .separators = {2}});
  EXPECT_NEAR(facts.entropy, (std::log(2) / 2 + std::log(4) / 2) / 3, 1e-12);
  EXPECT_NEAR(facts.distance, (0.5 + 0.25) / 3, 1e-12);
  EXPECT_NEAR(facts.first, 1.5 / 3, 1e-12);
  EXPECT_NEAR(facts.separator, 1.25 / 3, 1e-12);
  EXPECT_EQ(facts.largest, 1);
}

TEST(AttentionFacts, EntropyIsTheLogarithmOfTheTokensWhereAllAreAlike) {
  const std::vector<float> weights(64, 0.125F);
  EXPECT_NEAR(head_facts(weights, {}).entropy, std::log(8), 1e-12);
  EXPECT_EQ(head_facts(weights, {}).first, 0) << "a text without [CLS]";
}

TEST(AttentionFacts, AThumbnailOfAShortTextIsItsWeights) {
  const std::vector<float> weights = {0.75F, 0.25F, 0.5F, 0.5F};
  EXPECT_EQ(thumbnail(weights), weights);
}

TEST(AttentionFacts, AThumbnailKeepsTheLargestWeightOfEachPart) {
  constexpr int64_t kTokens = 100;
  std::vector<float> weights(kTokens * kTokens, 0.001F);
  weights[0] = 0.5F;
  weights[99 * kTokens + 98] = 0.75F;
  weights[50 * kTokens + 1] = 0.25F;
  const std::vector<float> small = thumbnail(weights);
  ASSERT_EQ(thumbnail_side(kTokens), 64);
  ASSERT_EQ(small.size(), 64u * 64u);
  EXPECT_EQ(small.front(), 0.5F);
  EXPECT_EQ(small[63 * 64 + 62], 0.75F);
  EXPECT_EQ(small[32 * 64], 0.25F);
  EXPECT_EQ(small[1], 0.001F);
}

}  // namespace
}  // namespace bertha
