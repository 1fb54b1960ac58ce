#include "data/loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "autograd/core/error.h"
#include "tests/data/memory_source.h"
#include "tests/data/small_vocabulary.h"

namespace bertha {
namespace {

constexpr int64_t kSize = 50;
const MicroSlices kGlobalBatch(20, 3);  // seven slices

TrainingBatches batches_of(SequenceSource source, MicroSlices global_batch) {
  return TrainingBatches(masked(std::move(source), Masker({}, SmallVocabulary::tokenizer())), 1, global_batch);
}

std::vector<std::vector<PackedBatch>> steps_of(IndexRange slices, int64_t first_step, int64_t end_step) {
  Loader loader(batches_of(memory_source(kSize), kGlobalBatch), slices, first_step);
  std::vector<std::vector<PackedBatch>> steps;
  for (int64_t step = first_step; step < end_step; ++step) steps.push_back(loader.next());
  return steps;
}

TEST(Loader, GivesTheStepsInOrder) {
  const TrainingBatches batches = batches_of(memory_source(kSize), kGlobalBatch);
  const auto steps = steps_of({0, 7}, 0, 12);
  for (int64_t step = 0; step < 12; ++step) {
    ASSERT_EQ(steps[step].size(), 7u);
    for (int64_t slice = 0; slice < 7; ++slice) EXPECT_EQ(steps[step][slice], batches.at(step, slice));
  }
}

TEST(Loader, GivesTheSameBatchesFromAnyFirstStep) {
  const auto steps = steps_of({0, 7}, 0, 8);
  for (int64_t first = 1; first < 8; ++first) {
    EXPECT_EQ(steps_of({0, 7}, first, 8), decltype(steps)(steps.begin() + first, steps.end()));
  }
}

TEST(Loader, GivesTheSameBatchesOnAnyNumberOfRanks) {
  const auto steps = steps_of({0, 7}, 3, 6);
  for (int64_t ranks = 2; ranks <= 7; ++ranks) {
    std::vector<std::vector<PackedBatch>> joined(steps.size());
    for (int64_t rank = 0; rank < ranks; ++rank) {
      const auto part = steps_of(rank_slices(7, rank, ranks), 3, 6);
      for (size_t step = 0; step < joined.size(); ++step) {
        joined[step].insert(joined[step].end(), part[step].begin(), part[step].end());
      }
    }
    EXPECT_EQ(joined, steps) << ranks << " ranks";
  }
}

TEST(Loader, RethrowsAFailureAfterTheStepsBeforeIt) {
  std::atomic<int64_t> reads = 0;
  SequenceSource source = memory_source(kSize);
  source.read = [&reads, read = source.read](int64_t index) {
    if (++reads > 2 * 20) fail<DamagedFileError>("shard-00003.h5: 'ids' is damaged");
    return read(index);
  };
  Loader loader(batches_of(source, kGlobalBatch), {0, 7}, 0);
  while (reads <= 2 * 20) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(loader.next().size(), 7u);
  EXPECT_EQ(loader.next().size(), 7u);
  EXPECT_THROW(loader.next(), DamagedFileError);
  EXPECT_THROW(loader.next(), DamagedFileError);
}

TEST(Loader, StopsWhileItWaitsForRoom) {
  Loader loader(batches_of(memory_source(kSize), kGlobalBatch), {0, 7}, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

TEST(Loader, PreparesOnlyAFewStepsAhead) {
  std::atomic<int64_t> reads = 0;
  SequenceSource source = memory_source(kSize);
  source.read = [&reads, read = source.read](int64_t index) { return ++reads, read(index); };
  Loader loader(batches_of(source, MicroSlices(20, 20)), {0, 1}, 0);
  loader.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(reads, 6 * 20);
}

TEST(Loader, StopsInTheMiddleOfAStep) {
  constexpr int64_t kSlices = 5000;
  std::atomic<int64_t> reads = 0;
  SequenceSource source = memory_source(kSize);
  source.read = [&reads, read = source.read](int64_t index) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++reads;
    return read(index);
  };
  {
    Loader loader(batches_of(source, MicroSlices(kSlices, 1)), {0, kSlices}, 0);
    while (reads < 3) std::this_thread::yield();
  }
  EXPECT_LT(reads, kSlices);
}

}  // namespace
}  // namespace bertha
