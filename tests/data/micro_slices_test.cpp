#include "data/micro_slices.h"

#include <gtest/gtest.h>

#include "autograd/core/error.h"

namespace bertha {
namespace {

TEST(MicroSlices, CutsABatchAndLeavesTheRestToTheLast) {
  const MicroSlices slices(10, 4);
  ASSERT_EQ(slices.count(), 3);
  EXPECT_EQ(slices.at(0), (IndexRange{0, 4}));
  EXPECT_EQ(slices.at(1), (IndexRange{4, 8}));
  EXPECT_EQ(slices.at(2), (IndexRange{8, 10}));
  EXPECT_THROW(slices.at(3), Error);
}

TEST(MicroSlices, AllowsASliceLargerThanTheBatch) {
  const MicroSlices slices(3, INT64_MAX);
  ASSERT_EQ(slices.count(), 1);
  EXPECT_EQ(slices.at(0), (IndexRange{0, 3}));
}

TEST(MicroSlices, RefusesEmptyBatchesAndSlices) {
  EXPECT_THROW(MicroSlices(0, 4), ConfigError);
  EXPECT_THROW(MicroSlices(4, 0), ConfigError);
}

TEST(RankSlices, AreContiguousAndEven) {
  for (int64_t slices = 1; slices <= 40; ++slices) {
    for (int64_t ranks = 1; ranks <= slices; ++ranks) {
      int64_t next = 0;
      for (int64_t rank = 0; rank < ranks; ++rank) {
        const IndexRange range = rank_slices(slices, rank, ranks);
        EXPECT_EQ(range.begin, next);
        EXPECT_TRUE(range.size() == slices / ranks || range.size() == (slices - 1) / ranks + 1);
        next = range.end;
      }
      EXPECT_EQ(next, slices);
    }
  }
}

TEST(RankSlices, RefuseMoreRanksThanSlices) {
  EXPECT_THROW(rank_slices(3, 0, 4), ConfigError);
  EXPECT_EQ(rank_share(1, 0, 2), (IndexRange{0, 0}));
  EXPECT_EQ(rank_share(1, 1, 2), (IndexRange{0, 1}));
}

}  // namespace
}  // namespace bertha
