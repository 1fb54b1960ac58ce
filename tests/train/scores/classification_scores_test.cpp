#include "train/scores/classification_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "tests/message_of.h"
#include "tests/train/scores/reference_scores.h"

namespace bertha {
namespace {

using nlohmann::json;
using Labels = std::vector<int32_t>;
using Bits = std::vector<uint8_t>;

TEST(ClassificationScores, OfASmallExample) {
  // Label 3 does not occur, so macro F1 is the mean of three: 2 * 1 / 3, 2 * 2 / 4 and 0.
  const auto scores = classification_scores(Labels{0, 0, 1, 1, 2}, Labels{0, 1, 1, 1, 0}, 4);
  EXPECT_DOUBLE_EQ(scores.accuracy, 0.6);
  EXPECT_EQ(scores.confusion, (std::vector<int64_t>{1, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}));
  ASSERT_EQ(scores.labels.size(), 4u);
  EXPECT_DOUBLE_EQ(scores.labels[0].precision(), 0.5);
  EXPECT_DOUBLE_EQ(scores.labels[0].recall(), 0.5);
  EXPECT_DOUBLE_EQ(scores.labels[1].precision(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.labels[1].recall(), 1);
  EXPECT_DOUBLE_EQ(scores.labels[1].f1(), 0.8);
  EXPECT_EQ(scores.labels[2].gold, 1);
  EXPECT_EQ(scores.labels[2].precision(), 0);
  EXPECT_EQ(scores.labels[3].f1(), 0);
  EXPECT_DOUBLE_EQ(scores.macro_f1, (0.5 + 0.8 + 0) / 3);
  // (c s - sum p t) / sqrt((s² - sum p²)(s² - sum t²)) = (3 * 5 - (4 + 6)) / sqrt((25 - 13) (25 - 9))
  EXPECT_DOUBLE_EQ(scores.matthews, 5 / std::sqrt(12.0 * 16.0));
}

TEST(ClassificationScores, MatthewsOfTwoLabelsIsTheirCorrelation) {
  EXPECT_DOUBLE_EQ(classification_scores(Labels{0, 1, 0, 1}, Labels{0, 1, 0, 1}, 2).matthews, 1);
  EXPECT_DOUBLE_EQ(classification_scores(Labels{0, 1, 0, 1}, Labels{1, 0, 1, 0}, 2).matthews, -1);
  EXPECT_EQ(classification_scores(Labels{0, 1, 0, 1}, Labels{1, 1, 1, 1}, 2).matthews, 0);
}

TEST(ClassificationScores, OfNothingAreNaN) {
  const auto scores = classification_scores(Labels{}, Labels{}, 2);
  EXPECT_TRUE(std::isnan(scores.accuracy));
  EXPECT_TRUE(std::isnan(scores.macro_f1));
  EXPECT_EQ(scores.matthews, 0);
}

TEST(ClassificationScores, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(message_of<Error>([] { classification_scores(Labels{0}, Labels{}, 2); }),
            "classification scores: 1 gold labels and 0 predicted ones");
  EXPECT_EQ(message_of<Error>([] {
              classification_scores(Labels{0, 1}, Labels{1, 2}, 2);
            }),
            "classification scores: example 1 has labels 1 and 2 (expected 0 to 1)");
  EXPECT_THROW(classification_scores(Labels{-1}, Labels{0}, 2), Error);
  EXPECT_THROW(multi_label_scores(Bits{0, 1, 1}, Bits{0, 1, 1}, 2), Error);
  EXPECT_THROW(multi_label_scores(Bits{0, 1}, Bits{0, 1, 1, 1}, 2), Error);
}

TEST(MultiLabelScores, OfASmallExample) {
  const auto scores = multi_label_scores(Bits{1, 0, 1, 1, 0, 0}, Bits{1, 0, 1, 0, 1, 0}, 3);
  EXPECT_DOUBLE_EQ(scores.subset_accuracy, 0.5);
  EXPECT_DOUBLE_EQ(scores.micro_f1, 2 * 2.0 / 6);
  EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 0 + 1) / 3);
  EXPECT_EQ(scores.labels[1].predicted, 1);
  EXPECT_TRUE(std::isnan(multi_label_scores(Bits{}, Bits{}, 3).subset_accuracy));
}

TEST(ClassificationScoresParity, EqualScikitLearnOnRandomLabels) {
  if (!python_has("sklearn")) GTEST_SKIP() << python() << " has no sklearn (BERTHA_PYTHON names another)";
  RandomStream random(1, "test");
  json cases = json::array();
  for (uint32_t i = 0; i < 150; ++i) {
    const uint32_t labels = 2 + random.below(6), occurring = 1 + random.below(labels), size = 1 + random.below(40);
    Labels gold, predicted;
    for (uint32_t k = 0; k < size; ++k) {
      gold.push_back(static_cast<int32_t>(random.below(occurring)));
      const bool right = random.below(4) < i % 5;
      predicted.push_back(right ? gold.back() : static_cast<int32_t>(random.below(labels)));
    }
    cases.push_back({{"gold", gold}, {"predicted", predicted}, {"labels", labels}});
  }
  const json references = reference_scores("classification", cases);
  ASSERT_EQ(references.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].dump());
    const json& reference = references[i];
    const auto scores = classification_scores(cases[i]["gold"].get<Labels>(), cases[i]["predicted"].get<Labels>(),
                                              cases[i]["labels"].get<int32_t>());
    expect_score(reference["accuracy"], scores.accuracy, "accuracy");
    expect_score(reference["macro_f1"], scores.macro_f1, "macro F1");
    expect_score(reference["matthews"], scores.matthews, "matthews");
    for (size_t label = 0; label < scores.labels.size(); ++label) {
      const MatchCounts& counts = scores.labels[label];
      expect_score(reference["labels"][label][0], counts.precision(), "precision");
      expect_score(reference["labels"][label][1], counts.recall(), "recall");
      expect_score(reference["labels"][label][2], counts.f1(), "F1");
      expect_score(reference["labels"][label][3], static_cast<double>(counts.gold), "support");
    }
    EXPECT_EQ(reference["confusion"].get<std::vector<int64_t>>(), scores.confusion);
  }
}

TEST(MultiLabelScoresParity, EqualScikitLearnOnRandomSets) {
  if (!python_has("sklearn")) GTEST_SKIP() << python() << " has no sklearn (BERTHA_PYTHON names another)";
  RandomStream random(2, "test");
  json cases = json::array();
  for (uint32_t i = 0; i < 100; ++i) {
    const uint32_t labels = 2 + random.below(5), size = labels * (1 + random.below(20));
    Bits gold, predicted;
    for (uint32_t k = 0; k < size; ++k) {
      gold.push_back(random.below(4) < i % 4);
      predicted.push_back(random.below(4) == 0 ? 1 - gold.back() : gold.back());
    }
    cases.push_back({{"gold", gold}, {"predicted", predicted}, {"labels", labels}});
  }
  const json references = reference_scores("multi_label", cases);
  ASSERT_EQ(references.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].dump());
    const auto scores = multi_label_scores(cases[i]["gold"].get<Bits>(), cases[i]["predicted"].get<Bits>(),
                                           cases[i]["labels"].get<int32_t>());
    expect_score(references[i]["micro_f1"], scores.micro_f1, "micro F1");
    expect_score(references[i]["macro_f1"], scores.macro_f1, "macro F1");
    expect_score(references[i]["subset_accuracy"], scores.subset_accuracy, "subset accuracy");
  }
}

}  // namespace
}  // namespace bertha
