#include "train/recipes/task_predictions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bertha {
namespace {

// A window of [CLS] question [SEP] and three tokens of the context at `first`, `first` + 10, ...
TaskExample window(int32_t first) {
  TaskExample example;
  example.offsets.resize(6);
  for (int32_t i = 0; i < 3; ++i) {
    example.offsets[static_cast<size_t>(3 + i)] = {first + 10 * i, first + 10 * i + 5};
  }
  return example;
}

// Start and end logits by row.
TaskOutputs logits(const std::vector<std::pair<float, float>>& rows) {
  TaskOutputs outputs;
  for (const auto& [start, end] : rows) outputs.insert(outputs.end(), {start, end});
  return outputs;
}

TEST(PredictLabel, IsTheLikeliestWithSharesOfOne) {
  const std::vector<float> scores = {0, std::log(3.0f)};
  const PredictedLabel best = predict_label(scores);
  EXPECT_EQ(best.label, 1);
  EXPECT_NEAR(best.score, 0.75, 1e-6);
  EXPECT_NEAR(best.scores[0], 0.25, 1e-6);
}

TEST(PredictLabels, StandEachByItself) {
  const std::vector<float> scores = {0, 100, -100};
  EXPECT_EQ(predict_labels(scores), (std::vector<double>{0.5, 1, predict_labels(scores)[2]}));
  EXPECT_LT(predict_labels(scores)[2], 1e-20);
}

TEST(PredictTags, AreTheLikeliestOfEachRow) {
  const std::vector<float> scores = {0, 1, 2, 5, 1, 2};
  const auto tags = predict_tags(scores, 3);
  ASSERT_EQ(tags.size(), 2u);
  EXPECT_EQ(tags[0].tag, 2);
  EXPECT_EQ(tags[1].tag, 0);
}

TEST(PredictAnswers, AreSpansOfTheContextThatEndBehindTheirStart) {
  const std::vector<TaskExample> windows = {window(100)};
  // The question's rows are the likeliest, and the likeliest end lies before the likeliest start.
  const std::vector<TaskOutputs> outputs = {logits({{9, 9}, {9, 9}, {0, 0}, {1, 5}, {4, 3}, {0, 2}})};
  const auto answers = predict_answers(windows, outputs, 2, Unanswerable::kNo);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].place, (CodePoints{110, 115})) << "4 + 3";
  EXPECT_EQ(answers[1].place, (CodePoints{110, 125})) << "4 + 2, from the likelier start of two as good";
}

TEST(PredictAnswers, CompareWindowsByTheirLogits) {
  const std::vector<TaskExample> windows = {window(0), window(20)};
  const std::vector<TaskOutputs> outputs = {logits({{0, 0}, {0, 0}, {0, 0}, {1, 1}, {0, 0}, {0, 0}}),
                                            logits({{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {3, 3}})};
  EXPECT_EQ(predict_answers(windows, outputs, 1, Unanswerable::kNo)[0].place, (CodePoints{40, 45}));
}

TEST(PredictAnswers, AreNoneWhereThatIsLikelierInEveryWindow) {
  const std::vector<TaskExample> windows = {window(0), window(20)};
  const auto with_null = [&](float first, float second) {
    const std::vector<TaskOutputs> outputs = {logits({{first, first}, {0, 0}, {0, 0}, {1, 1}, {0, 0}, {0, 0}}),
                                              logits({{second, second}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {3, 3}})};
    return predict_answers(windows, outputs, 1, Unanswerable::kYes)[0].place;
  };
  EXPECT_EQ(with_null(5, 4), CodePoints{});
  EXPECT_EQ(with_null(5, 2), (CodePoints{40, 45})) << "the second window holds an answer";
}

TEST(PredictAnswers, FindNothingInAnEmptyContext) {
  TaskExample empty;
  empty.offsets.resize(3);
  const std::vector<TaskOutputs> outputs = {logits({{0, 0}, {0, 0}, {0, 0}})};
  const auto answers = predict_answers(std::span(&empty, 1), outputs, 1, Unanswerable::kNo);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].place, CodePoints{});
}

TEST(TextAt, CountsCodePoints) {
  EXPECT_EQ(text_at("aé漢🙂b", {1, 4}), "é漢🙂");
  EXPECT_EQ(text_at("ab", {1, 9}), "b");
  EXPECT_EQ(text_at("ab", {}), "");
}

}  // namespace
}  // namespace bertha
