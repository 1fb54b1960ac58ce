#include "train/slice_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/core/memory.h"
#include "autograd/core/random.h"
#include "tests/train/forwarding_communicator.h"
#include "tests/train/mpirun.h"
#include "train/comm/self_communicator.h"
#include "train/comm/thread_communicator.h"

namespace bertha {
namespace {

constexpr int64_t kElements = 33;

// Values of such different sizes that every other order of summation gives other bits.
std::vector<float> slice_gradient(int64_t slice) {
  RandomStream stream(3, "slice", slice);
  std::vector<float> gradient(kElements);
  for (float& x : gradient) x = static_cast<float>(std::ldexp(stream.normal(), static_cast<int>(stream.below(24))));
  return gradient;
}

// The definition: node (level, index) of the tree over `slices`.
std::vector<float> node(int level, int64_t index, int64_t slices) {
  if (level == 0) return slice_gradient(index);
  std::vector<float> left = node(level - 1, 2 * index, slices);
  if (((2 * index + 1) << (level - 1)) >= slices) return left;
  const std::vector<float> right = node(level - 1, 2 * index + 1, slices);
  for (size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

std::vector<float> root(int64_t slices) {
  int level = 0;
  while ((int64_t{1} << level) < slices) ++level;
  return node(level, 0, slices);
}

// Two buckets that every rank has an even share of.
std::vector<Bucket> even_buckets(int64_t elements, int ranks) {
  std::vector<Bucket> buckets(2);
  for (int bucket = 0; bucket < 2; ++bucket) {
    const auto [begin, end] = rank_share(elements, bucket, 2);
    for (int rank = 0; rank <= ranks; ++rank) {
      buckets[bucket].bounds.push_back(begin + rank_share(end - begin, rank, ranks).begin);
    }
  }
  return buckets;
}

void add_own_slices(SliceTree& tree, std::span<float> block, int64_t slices, const Communicator& communicator) {
  const auto [begin, end] = rank_share(slices, communicator.rank(), communicator.size());
  for (int64_t slice = begin; slice < end; ++slice) {
    std::ranges::copy(slice_gradient(slice), block.begin());
    tree.add(slice);
  }
}

// An all-reduce has no defined order.
class WithoutAllReduce : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;
  void all_reduce_sum(std::span<double>) override { fail("all_reduce_sum called"); }
  void all_reduce_sum(std::span<int64_t>) override { fail("all_reduce_sum called"); }
};

void expect_the_trees_bits(Communicator& communicator, int64_t slices, const std::vector<float>& expected,
                           Sharding sharding) {
  std::vector<float> block(kElements);
  const std::vector<Bucket> buckets = even_buckets(kElements, communicator.size());
  SliceTree tree(slices, communicator, block, buckets, sharding);
  for (int step = 0; step < 2; ++step) {
    add_own_slices(tree, block, slices, communicator);
    tree.finish();
    if (sharding == Sharding::kOn) {
      for (const Bucket& bucket : buckets) communicator.all_gather_shares(block, bucket.bounds);
    }
    EXPECT_EQ(block, expected) << slices << " slices, rank " << communicator.rank() << " of " << communicator.size();
  }
}

void expect_the_trees_bits_on_every_rank(int ranks, int64_t slices) {
  const std::vector<float> expected = root(slices);
  run_as_ranks(ranks, [&](Communicator& threads) {
    WithoutAllReduce communicator(threads);
    for (const Sharding sharding : {Sharding::kOff, Sharding::kOn}) {
      expect_the_trees_bits(communicator, slices, expected, sharding);
    }
  });
}

TEST(SliceTree, GivesTheSameBitsOnAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 3, 4, 5, 7}) {
    for (int64_t slices = ranks; slices <= 40; ++slices) expect_the_trees_bits_on_every_rank(ranks, slices);
    for (const int64_t slices : {64, 100, 127, 255}) expect_the_trees_bits_on_every_rank(ranks, slices);
  }
}

TEST(SliceTree, GivesTheSameBitsOnProcesses) {
  if (!under_mpirun()) return expect_success_under_mpirun(3);
  const auto communicator = make_communicator();
  for (const int64_t slices : {3, 8, 13}) {
    expect_the_trees_bits(*communicator, slices, root(slices), Sharding::kOff);
    expect_the_trees_bits(*communicator, slices, root(slices), Sharding::kOn);
  }
}

TEST(SliceTree, TheTestValuesNoticeAnotherOrder) {
  std::vector<float> chain = slice_gradient(0);
  for (int64_t slice = 1; slice < 4; ++slice) {
    for (size_t i = 0; i < chain.size(); ++i) chain[i] += slice_gradient(slice)[i];
  }
  EXPECT_NE(chain, root(4));
}

TEST(SliceTree, LongBlocksArriveWhole) {
  if (!under_mpirun()) return expect_success_under_mpirun(2);
  constexpr int64_t kLong = 3'000'005;
  constexpr int64_t kSlices = 5;
  const auto communicator = make_communicator();
  std::vector<float> block(kLong);
  SliceTree tree(kSlices, *communicator, block, even_buckets(kLong, 2), Sharding::kOff);
  const auto [begin, end] = rank_share(kSlices, communicator->rank(), 2);
  for (int64_t slice = begin; slice < end; ++slice) {
    for (int64_t i = 0; i < kLong; ++i) block[i] = static_cast<float>(i % 1000 + slice);
    tree.add(slice);
  }
  tree.finish();
  for (int64_t i = 0; i < kLong; ++i) ASSERT_EQ(block[i], static_cast<float>(5 * (i % 1000) + 10)) << i;
}

TEST(SliceTree, SlicesComeInOrderAndAllOfThem) {
  SelfCommunicator communicator;
  std::vector<float> block = slice_gradient(0);
  SliceTree tree(2, communicator, block, even_buckets(kElements, 1), Sharding::kOff);
  EXPECT_THROW(tree.add(1), Error);
  tree.add(0);
  EXPECT_THROW(tree.add(0), Error);
  EXPECT_THROW(tree.finish(), Error);
  tree.add(1);
  EXPECT_THROW(tree.add(2), Error);
  tree.finish();
}

TEST(SliceTree, HoldsNoMoreBlocksThanPredicted) {
  constexpr int64_t kSlices = 37;
  for (const int ranks : {1, 3}) {
    for (int rank = 0; rank < ranks; ++rank) {
      const IndexRange range = rank_share(kSlices, rank, ranks);
      const size_t before = memory_use().current_bytes;
      size_t most = 0;
      run_as_ranks(ranks, [&](Communicator& communicator) {
        if (communicator.rank() != rank) return;
        constexpr int64_t kBlock = 1 << 16;
        std::vector<float> block(kBlock);
        SliceTree tree(kSlices, communicator, block, even_buckets(kBlock, ranks), Sharding::kOff);
        for (int64_t slice = range.begin; slice < range.end; ++slice) {
          tree.add(slice);
          most = std::max(most, (memory_use().current_bytes - before) / (kBlock * sizeof(float)));
        }
      });
      EXPECT_EQ(static_cast<int64_t>(most), SliceTree::peak_blocks(range));
    }
  }
  EXPECT_EQ(SliceTree::peak_blocks({0, 16}), 4);
  EXPECT_EQ(SliceTree::peak_blocks({0, 1}), 0);
}

TEST(SliceTree, SlicesAreDealtContiguouslyAndEvenly) {
  for (const int64_t slices : {1, 5, 8, 23}) {
    for (const int ranks : {1, 2, 3, 7}) {
      int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto [begin, end] = rank_share(slices, rank, ranks);
        EXPECT_EQ(begin, next);
        EXPECT_TRUE(end - begin == slices / ranks || end - begin == slices / ranks + 1);
        next = end;
      }
      EXPECT_EQ(next, slices);
    }
  }
}

}  // namespace
}  // namespace bertha
