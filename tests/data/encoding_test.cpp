#include "data/encoding.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"

namespace bertha {
namespace {

using Ids = std::vector<int32_t>;

const EncodingFrame kFrame = {{100}, {101, 102}, {103}, 1};

Tokens numbered(int32_t first, int32_t count) {
  Tokens tokens;
  for (int32_t i = 0; i < count; ++i) {
    tokens.ids.push_back(first + i);
    tokens.offsets.emplace_back(2 * i, 2 * i + 1);
  }
  return tokens;
}

TEST(Encoding, OneText) {
  const Encoding encoding = assemble(numbered(0, 2), std::nullopt, kFrame, {});
  EXPECT_EQ(encoding.ids, (Ids{100, 0, 1, 103}));
  EXPECT_EQ(encoding.type_ids, (Ids{0, 0, 0, 0}));
  EXPECT_EQ(encoding.offsets, (std::vector<TextRange>{{0, 0}, {0, 1}, {2, 3}, {0, 0}}));
  EXPECT_TRUE(encoding.overflow.empty());
}

TEST(Encoding, APairHasTheFramesType) {
  const Encoding encoding = assemble(numbered(0, 1), numbered(10, 2), kFrame, {});
  EXPECT_EQ(encoding.ids, (Ids{100, 0, 101, 102, 10, 11, 103}));
  EXPECT_EQ(encoding.type_ids, (Ids{0, 0, 0, 0, 1, 1, 1}));
  EncodingFrame one_type = kFrame;
  one_type.pair_type = 0;
  EXPECT_EQ(assemble(numbered(0, 1), numbered(10, 2), one_type, {}).type_ids, Ids(7, 0));
  EXPECT_EQ(assemble(numbered(0, 0), numbered(10, 0), kFrame, {}).ids, (Ids{100, 101, 102, 103}));
}

TEST(Encoding, AFrameMayBeEmpty) {
  EXPECT_EQ(assemble(numbered(0, 3), numbered(10, 1), {}, {}).ids, (Ids{0, 1, 2, 10}));
  EXPECT_EQ(assemble(numbered(0, 3), std::nullopt, {}, {.max_length = 2}).ids, (Ids{0, 1}));
}

TEST(Encoding, EverySpecialTokenCounts) {
  const Tokens text = numbered(0, 5), pair = numbered(10, 5);
  const auto cut = [&](int64_t max_length) { return assemble(text, pair, kFrame, {.max_length = max_length}).ids; };
  EXPECT_EQ(cut(14).size(), 14u);
  EXPECT_EQ(cut(13).size(), 13u);
  EXPECT_EQ(cut(6), (Ids{100, 0, 101, 102, 10, 103}));
  EXPECT_THROW(cut(4), ConfigError);
  EXPECT_THROW(cut(3), ConfigError);
}

TEST(Encoding, WindowsOfBothTextsAreCombined) {
  const Encoding encoding =
      assemble(numbered(0, 4), numbered(10, 4), kFrame, {.max_length = 8, .truncation = Truncation::kLongestFirst});
  EXPECT_EQ(encoding.ids, (Ids{100, 0, 1, 101, 102, 10, 11, 103}));
  ASSERT_EQ(encoding.overflow.size(), 3u);
  EXPECT_EQ(encoding.overflow[0].ids, (Ids{100, 2, 3, 101, 102, 10, 11, 103}));
  EXPECT_EQ(encoding.overflow[1].ids, (Ids{100, 2, 3, 101, 102, 12, 13, 103}));
  EXPECT_EQ(encoding.overflow[2].ids, (Ids{100, 0, 1, 101, 102, 12, 13, 103}));
}

}  // namespace
}  // namespace bertha
