#include "data/unigram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autograd/core/error.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

constexpr double kTolerance = 1e-12;

TEST(Unigram, EqualCountsHaveTheLogarithmOfTheirNumber) {
  const std::vector<int64_t> counts{7, 0, 7, 7, 7};
  const Unigram unigram = unigram_of(counts, {});
  EXPECT_EQ(unigram.tokens, 28);
  EXPECT_EQ(unigram.distinct, 4);
  EXPECT_EQ(unigram.most_frequent_share, 0.25);
  EXPECT_NEAR(unigram.entropy, std::log(4.0), kTolerance);
}

TEST(Unigram, LeavesSpecialTokensOut) {
  const std::vector<int64_t> counts{1000, 1, 3, 1000};
  const Unigram unigram = unigram_of(counts, std::vector<int32_t>{0, 3});
  EXPECT_EQ(unigram.tokens, 4);
  EXPECT_EQ(unigram.most_frequent, 2);
  EXPECT_EQ(unigram.most_frequent_share, 0.75);
  EXPECT_NEAR(unigram.entropy, -0.25 * std::log(0.25) - 0.75 * std::log(0.75), kTolerance);
}

TEST(Unigram, OfNothingOrOneTokenIsZero) {
  EXPECT_EQ(unigram_of(std::vector<int64_t>{0, 0}, {}).most_frequent, -1);
  EXPECT_EQ(unigram_of(std::vector<int64_t>{0, 0}, {}).entropy, 0);
  EXPECT_EQ(unigram_of(std::vector<int64_t>{0, 123457}, {}).entropy, 0);
}

class UnigramOfShardsTest : public testing::TestWithParam<Objective> {};

TEST_P(UnigramOfShardsTest, CountsAllTokensButThoseAroundASequence) {
  const TemporaryDirectory folder;
  ShardOptions options;
  options.files = {write_file(folder / "text", "w0 w0 w1\nw2 w0\n\nw1 w0 w3 w3\nw0 w0\n\n")};
  options.directory = folder / "shards";
  options.objective = GetParam();
  options.sequence_length = 16;
  const WordPiece tokenizer = numbered_words(4);
  shard_corpus(options, tokenizer, [](const ShardProgress&) {});
  std::vector<double> counts(4);
  ShardSet shards(options.directory);
  for (int64_t i = 0; i < shards.size(); ++i) {
    for (const int32_t id : shards.sequence(i).ids) {
      if (!tokenizer.is_special(id)) ++counts[id - 5];
    }
  }
  double tokens = 0, expected = 0;
  for (const double count : counts) tokens += count;
  for (const double count : counts) expected -= count / tokens * std::log(count / tokens);
  EXPECT_GT(expected, 0.9);
  EXPECT_NEAR(unigram_entropy_of(options.directory), expected, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(BothObjectives, UnigramOfShardsTest, testing::Values(Objective::kMlm, Objective::kMlmNsp));

TEST(Unigram, NeedsAFinishedDirectory) {
  EXPECT_THROW(unigram_entropy_of(TemporaryDirectory().path()), ConfigError);
}

}  // namespace
}  // namespace bertha
