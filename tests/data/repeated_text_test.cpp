#include "data/repeated_text.h"

#include <gtest/gtest.h>

#include <vector>

#include "autograd/core/random.h"

namespace bertha {
namespace {

std::vector<int32_t> random_ids(uint64_t seed, size_t count) {
  RandomStream stream(seed, "passages");
  std::vector<int32_t> ids(count);
  for (int32_t& id : ids) id = static_cast<int32_t>(stream.below(30000));
  return ids;
}

TEST(RepeatedText, OfNewTextIsNothing) {
  RepeatedText text;
  EXPECT_EQ(text.share(), 0);
  text.add(random_ids(1, 100'000));
  EXPECT_GT(text.passages(), 10'000);
  EXPECT_EQ(text.share(), 0);
}

TEST(RepeatedText, OfAnotherCopyIsHalf) {
  RepeatedText text;
  const std::vector<int32_t> ids = random_ids(1, 100'000);
  text.add(ids);
  text.add(ids);
  EXPECT_DOUBLE_EQ(text.share(), 0.5);
}

TEST(RepeatedText, IsFoundAtAnyOffset) {
  RepeatedText text;
  const std::vector<int32_t> copied = random_ids(1, 50'000);
  text.add(copied);
  for (size_t begin = 0; begin < copied.size();) {
    const size_t length = std::min<size_t>(101, copied.size() - begin);
    text.add(std::span(copied).subspan(begin, length));
    begin += length;
  }
  constexpr double kWhole = 1 - (RepeatedText::kPassage - 1) / 101.0;  // passages that no end cuts
  EXPECT_NEAR(text.share(), kWhole / (1 + kWhole), 0.01);
}

TEST(RepeatedText, OfALargeTextIsEstimated) {
  RepeatedText text;
  for (uint64_t part = 0; part < 75; ++part) text.add(random_ids(part % 60, 150'000));
  EXPECT_LT(text.passages(), 1'000'000) << "one in eight would be more";
  EXPECT_NEAR(text.share(), 0.2, 0.01);
}

TEST(RepeatedText, TakesNoNoticeOfShorterLines) {
  RepeatedText text;
  const std::vector<int32_t> ids = random_ids(1, RepeatedText::kPassage - 1);
  for (int i = 0; i < 1000; ++i) text.add(ids);
  EXPECT_EQ(text.passages(), 0);
}

}  // namespace
}  // namespace bertha
