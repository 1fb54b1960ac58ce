#include "train/partition.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bertha {
namespace {

constexpr int64_t kBucketBytes = 100'000 * sizeof(float);

// A matrix of many pieces, in block order the last, and a bias before it.
struct Model {
  Model() {
    const Scope root(store, "");
    root.weight("large", {500, 1001});
    root.bias("bias", 3);
    store.allocate();
  }
  std::vector<Piece> pieces() const { return cut_into_pieces(in_block_order(store)); }

  ParameterStore store;
};

TEST(Partition, PiecesCoverEveryTensorOnce) {
  const Model model;
  const std::vector<PublishedTensor> tensors = in_block_order(model.store);
  ASSERT_EQ(tensors.size(), 2);
  EXPECT_EQ(tensors.front().name, "bias");
  std::vector<int64_t> next{tensors[0].offset, tensors[1].offset};
  for (const Piece& piece : model.pieces()) {
    EXPECT_EQ(piece.offset, next[piece.tensor]);
    next[piece.tensor] += piece.size;
  }
  EXPECT_EQ(next[0], tensors[0].offset + 3);
  EXPECT_EQ(next[1], tensors[1].offset + 500 * 1001);
}

TEST(Partition, BucketsCoverTheBlockAndSharesTheirBuckets) {
  const Model model;
  for (const int ranks : {1, 2, 3, 7, 100}) {
    int64_t next = 0;
    for (const Bucket& bucket : cut_into_buckets(model.store, kBucketBytes, ranks)) {
      ASSERT_EQ(bucket.bounds.size(), ranks + 1);
      EXPECT_TRUE(std::ranges::is_sorted(bucket.bounds));
      EXPECT_EQ(bucket.begin(), next);
      next = bucket.end();
    }
    EXPECT_EQ(next, std::ssize(model.store.values()));
  }
}

TEST(Partition, NoBoundCutsAPiece) {
  const Model model;
  for (const Bucket& bucket : cut_into_buckets(model.store, kBucketBytes, 3)) {
    for (const Piece& piece : model.pieces()) {
      for (const int64_t bound : bucket.bounds) {
        EXPECT_FALSE(piece.offset < bound && bound < piece.offset + piece.size) << bound;
      }
    }
  }
}

TEST(Partition, BucketsAreOfTheSizeAskedForAndSharesAreEven) {
  const Model model;
  const std::vector<Bucket> buckets = cut_into_buckets(model.store, kBucketBytes, 2);
  constexpr int64_t kLargestPiece = 1 << 14;
  for (size_t i = 0; i + 1 < buckets.size(); ++i) {
    const int64_t size = buckets[i].end() - buckets[i].begin();
    EXPECT_GE(size, 100'000);
    EXPECT_LT(size, 100'000 + kLargestPiece);
    EXPECT_LE(std::abs(buckets[i].share(0).size() - buckets[i].share(1).size()), 2 * kLargestPiece);
  }
  EXPECT_EQ(buckets.size(), 5);
}

}  // namespace
}  // namespace bertha
