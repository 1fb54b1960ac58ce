#include "train/scores/span_errors.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bertha {
namespace {

using Kind = SpanErrorKind;

std::vector<Kind> kinds(const std::vector<SpanError>& errors) {
  std::vector<Kind> found;
  for (const SpanError& error : errors) found.push_back(error.kind);
  return found;
}

TEST(SpanErrors, NameWhatDiffers) {
  const std::vector<Entity> gold = {{"PER", 0, 2}, {"LOC", 3, 4}, {"ORG", 5, 7}, {"LOC", 9, 10}, {"PER", 12, 15}};
  const std::vector<Entity> predicted = {{"PER", 0, 2}, {"ORG", 3, 4}, {"ORG", 5, 6}, {"PER", 13, 14}, {"LOC", 20, 21}};
  const auto errors = span_errors(gold, predicted);
  EXPECT_EQ(kinds(errors),
            (std::vector<Kind>{Kind::kType, Kind::kBoundary, Kind::kMissed, Kind::kBoundary, Kind::kSpurious}));
  EXPECT_EQ(errors[0].gold, (Entity{"LOC", 3, 4}));
  EXPECT_EQ(errors[0].predicted, (Entity{"ORG", 3, 4}));
  EXPECT_EQ(errors[2].gold, (Entity{"LOC", 9, 10}));
  EXPECT_EQ(errors[2].predicted, Entity{});
  EXPECT_EQ(errors[4].gold, Entity{});
}

TEST(SpanErrors, AGoldSpanIsAnsweredOnce) {
  const std::vector<Entity> gold = {{"A", 0, 6}};
  const std::vector<Entity> predicted = {{"B", 0, 1}, {"A", 1, 5}};
  const auto errors = span_errors(gold, predicted);
  EXPECT_EQ(kinds(errors), (std::vector<Kind>{Kind::kTypeAndBoundary, Kind::kSpurious}));
}

TEST(SpanErrors, OfTwoTheNearestIsAnswered) {
  const std::vector<Entity> gold = {{"A", 0, 2}, {"A", 2, 6}};
  const std::vector<Entity> predicted = {{"A", 1, 5}};
  const auto errors = span_errors(gold, predicted);
  EXPECT_EQ(kinds(errors), (std::vector<Kind>{Kind::kMissed, Kind::kBoundary}));
  EXPECT_EQ(errors[1].gold, (Entity{"A", 2, 6}));
}

// Whatever the spans: those that are wrong are each in one error.
TEST(SpanErrors, EveryWrongSpanIsInOneError) {
  for (uint32_t code = 0; code < 4096; ++code) {
    const auto spans = [](uint32_t bits) {
      std::vector<std::string> tags;
      for (int word = 0; word < 6; ++word) tags.push_back(bits >> word & 1 ? (word % 3 == 0 ? "B-x" : "I-y") : "O");
      return entities(tags);
    };
    const auto gold = spans(code & 63), predicted = spans(code >> 6);
    int64_t wrong = 0, named = 0;
    for (const Entity& entity : gold) wrong += std::ranges::count(predicted, entity) == 0;
    for (const Entity& entity : predicted) wrong += std::ranges::count(gold, entity) == 0;
    for (const SpanError& error : span_errors(gold, predicted)) {
      named += (error.kind == Kind::kMissed || error.kind == Kind::kSpurious) ? 1 : 2;
    }
    ASSERT_EQ(named, wrong) << code;
  }
}

}  // namespace
}  // namespace bertha
