#include "train/recipes/pretraining_evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/wordpiece.h"
#include "tests/data/small_vocabulary.h"

namespace bertha {
namespace {

using Counts = std::vector<int64_t>;

class UnigramCrossEntropy : public ::testing::Test {
 protected:
  static constexpr int32_t kFirst = SmallVocabulary::word(0), kSecond = SmallVocabulary::word(1);

  double nats(const Counts& training, const Counts& held_out) const {
    return unigram_cross_entropy(tokenizer_, training, held_out);
  }

  WordPiece tokenizer_{SmallVocabulary::make(), /*lowercase=*/true};
  Counts none_ = Counts(SmallVocabulary::kSize);
};

TEST_F(UnigramCrossEntropy, OfNothingLearntIsThatOfChance) {
  Counts held_out = none_;
  held_out[kFirst] = 3;
  held_out[kSecond] = 9;
  EXPECT_DOUBLE_EQ(nats(none_, held_out), std::log(SmallVocabulary::kOrdinary));
}

TEST_F(UnigramCrossEntropy, WeighsTheHeldOutTokensByTheTrainingTokens) {
  Counts training = none_, held_out = none_;
  training[kFirst] = 59;  // with one added to each of the 40: 60 of 100
  training[kSecond] = 1;
  held_out[kFirst] = 3;
  held_out[kSecond] = 1;
  EXPECT_DOUBLE_EQ(nats(training, held_out), -(3 * std::log(0.60) + std::log(0.02)) / 4);
}

TEST_F(UnigramCrossEntropy, LeavesSpecialTokensOut) {
  Counts training = none_, held_out = none_;
  held_out[kFirst] = 1;
  for (const int32_t id : SmallVocabulary::kSpecial)
    training[static_cast<size_t>(id)] = held_out[static_cast<size_t>(id)] = 1000;
  EXPECT_DOUBLE_EQ(nats(training, held_out), std::log(SmallVocabulary::kOrdinary));
}

TEST_F(UnigramCrossEntropy, OfNoTextIsZero) {
  EXPECT_EQ(nats(none_, none_), 0);
}

}  // namespace
}  // namespace bertha
