#include "data/byte_pair_merges.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <vector>

#include "autograd/core/random.h"

namespace bertha {
namespace {

using Ids = std::vector<int32_t>;

std::vector<BytePiece> pieces_of(const Ids& ids) {
  std::vector<BytePiece> pieces;
  for (const int32_t id : ids) pieces.push_back({id, 1});
  return pieces;
}

Ids merged(const BytePairMerges& merges, const Ids& ids) {
  std::vector<BytePiece> pieces = pieces_of(ids);
  merges.apply(pieces);
  Ids result;
  for (const BytePiece& piece : pieces) result.push_back(piece.id);
  return result;
}

TEST(BytePairMerges, TheFirstAddedIsMadeFirst) {
  BytePairMerges merges;
  EXPECT_TRUE(merges.add(1, 2, 10));
  EXPECT_TRUE(merges.add(0, 1, 11));
  EXPECT_TRUE(merges.add(0, 10, 12));
  EXPECT_EQ(merged(merges, {0, 1, 2}), (Ids{12})) << "(1, 2) although (0, 1) stands before it";
  EXPECT_EQ(merged(merges, {0, 1, 0}), (Ids{11, 0}));
  EXPECT_EQ(merged(merges, {}), (Ids{}));
  EXPECT_EQ(merged(merges, {1}), (Ids{1}));
}

TEST(BytePairMerges, OfOverlappingPlacesTheLeftmost) {
  BytePairMerges merges;
  merges.add(0, 0, 1);
  EXPECT_EQ(merged(merges, {0, 0, 0}), (Ids{1, 0}));
  merges.add(1, 1, 2);
  EXPECT_EQ(merged(merges, {0, 0, 0, 0, 0, 0, 0}), (Ids{2, 1, 0}));
}

TEST(BytePairMerges, APairHasOneMerge) {
  BytePairMerges merges;
  EXPECT_TRUE(merges.add(1, 2, 10));
  EXPECT_FALSE(merges.add(1, 2, 11));
  EXPECT_TRUE(merges.add(2, 1, 11));
  EXPECT_EQ(merged(merges, {1, 2}), (Ids{10}));
}

TEST(BytePairMerges, BytesAddUp) {
  BytePairMerges merges;
  merges.add(0, 1, 2);
  std::vector<BytePiece> pieces = {{0, 3}, {1, 4}, {1, 5}};
  merges.apply(pieces);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].bytes, 7u);
  EXPECT_EQ(pieces[1].bytes, 5u);
}

/// As it is defined: over and over, all places of the first pair from left to right.
Ids merged_slowly(const std::vector<std::array<int32_t, 3>>& merges, Ids ids) {
  for (bool found = true; found;) {
    found = false;
    for (const auto& [left, right, result] : merges) {
      Ids next;
      for (size_t i = 0; i < ids.size(); ++i) {
        const bool matches = i + 1 < ids.size() && ids[i] == left && ids[i + 1] == right;
        next.push_back(matches ? result : ids[i]);
        i += matches;
      }
      found = next.size() < ids.size();
      ids = next;
      if (found) break;
    }
  }
  return ids;
}

TEST(BytePairMerges, EqualTheDefinitionOnRandomWords) {
  RandomStream random(1, "merges");
  for (int round = 0; round < 300; ++round) {
    BytePairMerges merges;
    std::vector<std::array<int32_t, 3>> list;
    for (int32_t next = 4; next < 24; ++next) {
      const auto left = static_cast<int32_t>(random.below(static_cast<uint32_t>(next)));
      const auto right = static_cast<int32_t>(random.below(static_cast<uint32_t>(next)));
      if (merges.add(left, right, next)) list.push_back({left, right, next});
    }
    Ids word;
    for (uint32_t length = random.below(60); length > 0; --length)
      word.push_back(static_cast<int32_t>(random.below(4)));
    ASSERT_EQ(merged(merges, word), merged_slowly(list, word)) << round;
  }
}

TEST(BytePairMerges, AWordOfAMegabyteTakesNoLongerThanManyShortOnes) {
  BytePairMerges merges;
  for (int32_t i = 0; i < 20; ++i) merges.add(i, i, i + 1);
  std::vector<BytePiece> pieces = pieces_of(Ids(size_t{1} << 20, 0));
  const auto begin = std::chrono::steady_clock::now();
  merges.apply(pieces);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << "quadratic: hours";
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].id, 20);
  EXPECT_EQ(pieces[0].bytes, 1u << 20);
}

}  // namespace
}  // namespace bertha
