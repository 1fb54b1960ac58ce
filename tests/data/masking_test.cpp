#include "data/masking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "autograd/core/error.h"
#include "tests/data/small_byte_bpe.h"
#include "tests/data/small_vocabulary.h"

namespace bertha {
namespace {

constexpr int32_t kLength = 128;
constexpr int64_t kSamples = 2000;
constexpr int32_t kWord = SmallVocabulary::word(0);

// The upper 0.1 % point of chi-square (Wilson & Hilferty 1931).
double chi_square_limit(double degrees) {
  const double spread = 2 / (9 * degrees);
  return degrees * std::pow(1 - spread + 3.09 * std::sqrt(spread), 3);
}

void expect_shares(std::span<const int64_t> counts, std::span<const double> shares) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  double chi_square = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = total * shares[i];
    chi_square += std::pow(static_cast<double>(counts[i]) - expected, 2) / expected;
  }
  EXPECT_LT(chi_square, chi_square_limit(static_cast<double>(counts.size()) - 1));
}

void expect_uniform(std::span<const int64_t> counts) {
  expect_shares(counts, std::vector<double>(counts.size(), 1.0 / static_cast<double>(counts.size())));
}

// [CLS] w w ... w [SEP], all the same word, so that a replaced token shows.
Sequence repeated_word(int32_t length, int32_t word) {
  Sequence sequence{std::vector<int32_t>(length, word), length};
  sequence.ids.front() = SmallVocabulary::kCls;
  sequence.ids.back() = SmallVocabulary::kSep;
  return sequence;
}

MaskedSequence mask_in_training(const Masker& masker, const Sequence& sequence, int64_t sample) {
  return masker(sequence, training_masks(1, 0, sample));
}

Masker masker_with(const MaskingOptions& options) {
  return Masker(options, SmallVocabulary::tokenizer());
}

TEST(Masking, SelectsTheAskedShareOfTokens) {
  const Masker masker = masker_with({});
  const Sequence sequence = repeated_word(kLength, kWord);
  int64_t selected = 0;
  for (int64_t sample = 0; sample < kSamples; ++sample) {
    selected += static_cast<int64_t>(mask_in_training(masker, sequence, sample).positions.size());
  }
  const int64_t tokens = kSamples * (kLength - 2);
  expect_shares(std::vector{selected, tokens - selected}, std::vector{0.15, 0.85});
}

TEST(Masking, SelectsEveryPositionAlike) {
  const Masker masker = masker_with({});
  const Sequence sequence = repeated_word(kLength, kWord);
  std::vector<int64_t> counts(kLength);
  for (int64_t sample = 0; sample < kSamples; ++sample) {
    for (const int32_t position : mask_in_training(masker, sequence, sample).positions) ++counts.at(position);
  }
  EXPECT_EQ(counts.front(), 0);
  EXPECT_EQ(counts.back(), 0);
  expect_uniform(std::span(counts).subspan(1, kLength - 2));
}

TEST(Masking, SelectsNeighboursIndependently) {
  const Masker masker = masker_with({});
  const Sequence sequence = repeated_word(4, kWord);
  std::vector<int64_t> counts(4);  // by which of the two words is selected
  for (int64_t sample = 0; sample < 50000; ++sample) {
    int64_t which = 0;
    for (const int32_t position : mask_in_training(masker, sequence, sample).positions) which |= position;
    ++counts.at(which);
  }
  expect_shares(counts, std::vector{0.85 * 0.85, 0.15 * 0.85, 0.15 * 0.85, 0.15 * 0.15});
}

TEST(Masking, MasksReplacesAndKeepsTheAskedShares) {
  const Masker masker = masker_with({});
  const Sequence sequence = repeated_word(kLength, kWord);
  std::vector<int64_t> counts(3);
  for (int64_t sample = 0; sample < kSamples; ++sample) {
    const MaskedSequence masked = mask_in_training(masker, sequence, sample);
    for (const int32_t position : masked.positions) {
      const int32_t id = masked.sequence.ids[position];
      ++counts[id == SmallVocabulary::kMask ? 0 : id == kWord ? 2 : 1];
    }
  }
  const double unchanged_by_chance = 0.1 / SmallVocabulary::kOrdinary;
  expect_shares(counts, std::vector{0.8, 0.1 - unchanged_by_chance, 0.1 + unchanged_by_chance});
}

TEST(Masking, DrawsRandomTokensUniformlyAndNeverASpecialOne) {
  const Masker masker = masker_with({.probability = 1, .mask = 0, .random = 1, .keep = 0});
  const Sequence sequence = repeated_word(kLength, kWord);
  std::vector<int64_t> counts(SmallVocabulary::kSize);
  for (int64_t sample = 0; sample < kSamples; ++sample) {
    const MaskedSequence masked = mask_in_training(masker, sequence, sample);
    for (const int32_t position : masked.positions) ++counts.at(masked.sequence.ids[position]);
  }
  for (const int32_t special : SmallVocabulary::kSpecial) EXPECT_EQ(counts[special], 0);
  for (const int32_t special : SmallVocabulary::kSpecial) counts[special] = -1;
  std::erase(counts, -1);
  expect_uniform(counts);
}

TEST(Masking, LabelsAreTheOriginalIdsAndNothingElseChanges) {
  const Masker masker = masker_with({.probability = 0.5});
  Sequence sequence = repeated_word(kLength, kWord);
  for (int32_t i = 1; i + 1 < kLength; ++i) sequence.ids[i] = SmallVocabulary::word(i % 7);
  sequence.second_begin = 60;
  sequence.next_sentence_label = 1;
  for (int64_t sample = 0; sample < 20; ++sample) {
    MaskedSequence masked = mask_in_training(masker, sequence, sample);
    EXPECT_TRUE(std::ranges::is_sorted(masked.positions));
    ASSERT_EQ(masked.positions.size(), masked.labels.size());
    for (size_t i = 0; i < masked.positions.size(); ++i) {
      masked.sequence.ids[masked.positions[i]] = masked.labels[i];
    }
    EXPECT_EQ(masked.sequence.ids, sequence.ids);
    EXPECT_EQ(masked.sequence.second_begin, 60);
    EXPECT_EQ(masked.sequence.next_sentence_label, 1);
  }
}

TEST(Masking, NeverSelectsASpecialToken) {
  const Sequence sequence{
      {SmallVocabulary::kCls, kWord, SmallVocabulary::kUnk, SmallVocabulary::piece(0), SmallVocabulary::kSep,
       SmallVocabulary::piece(1), SmallVocabulary::kSep, SmallVocabulary::kPad},
      5,
      0};
  for (const bool whole_word : {false, true}) {
    const Masker masker = masker_with({.probability = 1, .whole_word = whole_word});
    EXPECT_EQ(mask_in_training(masker, sequence, 0).positions, (std::vector<int32_t>{1, 3, 5}));
  }
}

TEST(Masking, IsAPureFunctionOfSeedEpochAndSample) {
  const Masker masker = masker_with({});
  const Masker another = masker_with({});
  const Sequence sequence = repeated_word(kLength, kWord);
  const MaskedSequence first = masker(sequence, training_masks(1, 2, 3));
  for (int64_t sample = 9; sample >= 0; --sample) masker(sequence, training_masks(1, 0, sample));
  const MaskedSequence again = another(sequence, training_masks(1, 2, 3));
  EXPECT_EQ(first.sequence.ids, again.sequence.ids);
  EXPECT_EQ(first.positions, again.positions);
}

TEST(Masking, DiffersBetweenSeedsEpochsSamplesAndFromEvaluation) {
  const Masker masker = masker_with({});
  const Sequence sequence = repeated_word(kLength, kWord);
  const std::vector<RandomStream> streams = {training_masks(1, 2, 3), training_masks(2, 2, 3), training_masks(1, 3, 3),
                                             training_masks(1, 2, 4), training_masks(0, 0, 3), evaluation_masks(3),
                                             evaluation_masks(4)};
  std::set<std::vector<int32_t>> seen;
  for (const RandomStream& stream : streams) seen.insert(masker(sequence, stream).positions);
  EXPECT_EQ(seen.size(), streams.size());
}

TEST(Masking, WholeWordsAreSelectedAsOneAndShareOneFate) {
  const Masker masker = masker_with({.whole_word = true});
  Sequence sequence{{SmallVocabulary::kCls}, 1 + 3 * 40 + 1};
  for (int i = 0; i < 40; ++i) {
    sequence.ids.insert(sequence.ids.end(), {kWord, SmallVocabulary::piece(0), SmallVocabulary::piece(1)});
  }
  sequence.ids.push_back(SmallVocabulary::kSep);
  std::vector<int64_t> selected(2);
  std::vector<int64_t> fates(3);
  int64_t different_replacements = 0;
  for (int64_t sample = 0; sample < kSamples; ++sample) {
    const MaskedSequence masked = mask_in_training(masker, sequence, sample);
    const std::vector<int32_t>& ids = masked.sequence.ids;
    ASSERT_EQ(masked.positions.size() % 3, 0u);
    selected[0] += static_cast<int64_t>(masked.positions.size()) / 3;
    selected[1] += 40 - static_cast<int64_t>(masked.positions.size()) / 3;
    for (size_t i = 0; i < masked.positions.size(); i += 3) {
      const int32_t begin = masked.positions[i];
      ASSERT_EQ(masked.labels[i], kWord);
      ASSERT_EQ(masked.positions[i + 2], begin + 2);
      const std::vector<int32_t> now(ids.begin() + begin, ids.begin() + begin + 3);
      const int64_t masks = std::ranges::count(now, SmallVocabulary::kMask);
      ASSERT_TRUE(masks == 0 || masks == 3);
      const bool kept = std::ranges::equal(now, std::span(sequence.ids).subspan(begin, 3));
      ++fates[masks == 3 ? 0 : kept ? 2 : 1];
      if (masks == 0 && !kept && now[0] != now[1]) ++different_replacements;
    }
  }
  expect_shares(selected, std::vector{0.15, 0.85});
  expect_shares(fates, std::vector{0.8, 0.1, 0.1});
  EXPECT_GT(different_replacements, fates[1] * 9 / 10);
}

TEST(Masking, SinglePiecesAreSelectedAloneWithoutWholeWord) {
  const Masker masker = masker_with({.probability = 0.5});
  const Sequence sequence{{SmallVocabulary::kCls, kWord, SmallVocabulary::piece(0), SmallVocabulary::kSep}, 4};
  std::set<size_t> numbers;
  for (int64_t sample = 0; sample < 50; ++sample) {
    numbers.insert(mask_in_training(masker, sequence, sample).positions.size());
  }
  EXPECT_EQ(numbers, (std::set<size_t>{0, 1, 2}));
}

TEST(Masking, ProbabilityZeroAndOneAreExact) {
  const Sequence sequence = repeated_word(kLength, kWord);
  const Masker none = masker_with({.probability = 0});
  const Masker all = masker_with({.probability = 1, .mask = 1, .random = 0, .keep = 0});
  for (int64_t sample = 0; sample < 20; ++sample) {
    EXPECT_TRUE(mask_in_training(none, sequence, sample).positions.empty());
    const MaskedSequence masked = mask_in_training(all, sequence, sample);
    EXPECT_EQ(std::ranges::count(masked.sequence.ids, SmallVocabulary::kMask), kLength - 2);
  }
}

TEST(Masking, RefusesSharesThatAreNoShares) {
  EXPECT_THROW(masker_with({.probability = 1.5}), ConfigError);
  EXPECT_THROW(masker_with({.probability = -0.1}), ConfigError);
  EXPECT_THROW(masker_with({.probability = std::numeric_limits<double>::quiet_NaN()}), ConfigError);
  EXPECT_THROW(masker_with({.mask = 1.2, .random = -0.1, .keep = -0.1}), ConfigError);
  EXPECT_THROW(masker_with({.mask = 0.8, .random = 0.1, .keep = 0.2}), ConfigError);
  EXPECT_THROW(masker_with({.mask = 0.8, .random = 0.1, .keep = 0.09999}), ConfigError);
  EXPECT_NO_THROW(masker_with({.mask = 0.7, .random = 0.2, .keep = 0.1}));
}

TEST(Masking, RefusesAnIdOutsideTheVocabulary) {
  const Masker masker = masker_with({});
  EXPECT_THROW(mask_in_training(masker, {{SmallVocabulary::kCls, SmallVocabulary::kSize}, 2}, 0), MismatchError);
  EXPECT_THROW(mask_in_training(masker, {{SmallVocabulary::kCls, -1}, 2}, 0), MismatchError);
  EXPECT_NO_THROW(mask_in_training(masker, {{}, 0}, 0));
}

TEST(Masker, ATokenizerMustHaveAMask) {
  std::vector<std::string> tokens = SmallByteBpe::tokens();
  tokens[0] = "<|endoftext|>";
  const ByteBpe gpt2(tokens, SmallByteBpe::merges(), {}, "test");
  EXPECT_THROW(Masker({}, gpt2), MismatchError);
}

}  // namespace
}  // namespace bertha
