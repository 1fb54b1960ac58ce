#include "visualize/attention_rollout.h"

#include <gtest/gtest.h>

#include "tests/visualize/made_attention.h"

namespace bertha {
namespace {

void expect_near(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-7) << i;
}

TEST(AttentionRollout, HalfOfEachLayerIsTheResidual) {
  AttentionRollout rollout;
  rollout.add(made_attention(2, {{0.5F, 0.5F, 0.0F, 1.0F}, {0.0F, 1.0F, 1.0F, 0.0F}}));  // the mean: 1/4 3/4, 1/2 1/2
  expect_near(rollout.matrix(), {0.625, 0.375, 0.25, 0.75});
}

TEST(AttentionRollout, LaterLayersMultiplyFromTheLeft) {
  AttentionRollout rollout;
  rollout.add(made_attention(2, {{1.0F, 0.0F, 1.0F, 0.0F}}));  // with the residual: 1 0, 1/2 1/2
  rollout.add(made_attention(2, {{0.0F, 1.0F, 0.0F, 1.0F}}));  // 1/2 1/2, 0 1
  expect_near(rollout.matrix(), {0.75, 0.25, 0.5, 0.5});
}

TEST(AttentionRollout, MeanOfHeads) {
  expect_near(mean_of_heads(made_attention(1, {{0.5F}, {1.0F}})), {0.75});
}

}  // namespace
}  // namespace bertha
