#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <list>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "autograd/core/error.h"

namespace bertha {
namespace {

std::vector<int64_t> epoch_of(const SampleOrder& order, int64_t epoch) {
  std::vector<int64_t> samples;
  for (int64_t place = 0; place < order.size(); ++place) samples.push_back(order.at(epoch, place));
  return samples;
}

std::vector<int64_t> all_samples(int64_t size) {
  std::vector<int64_t> samples(size);
  std::iota(samples.begin(), samples.end(), 0);
  return samples;
}

// How often a reader that keeps the last `capacity` chunks it used has to read one; chunk 1 begins at `second_chunk`.
int64_t chunk_reads(const std::vector<int64_t>& samples, int64_t second_chunk, int64_t chunk_size, size_t capacity) {
  std::list<int64_t> recent;
  int64_t reads = 0;
  for (const int64_t sample : samples) {
    const int64_t chunk = (sample - second_chunk + chunk_size) / chunk_size;
    const auto found = std::ranges::find(recent, chunk);
    if (found == recent.end()) {
      ++reads;
    } else {
      recent.erase(found);
    }
    recent.push_front(chunk);
    if (recent.size() > capacity) recent.pop_back();
  }
  return reads;
}

TEST(SampleOrder, EverySampleOnceAnEpoch) {
  for (const int64_t size : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 63, 64, 65, 97, 256, 257, 1000, 1009, 4099}) {
    for (const int64_t chunk_size : {1, 2, 7, 64, 1000, 5000}) {
      const SampleOrder order(size, chunk_size, 1);
      for (int64_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<int64_t> samples = epoch_of(order, epoch);
        std::ranges::sort(samples);
        ASSERT_EQ(samples, all_samples(size)) << "size " << size << ", chunk size " << chunk_size;
      }
    }
  }
}

TEST(SampleOrder, DiffersBetweenEpochsAndSeeds) {
  const SampleOrder order(100, 10, 1);
  EXPECT_EQ(epoch_of(order, 0), epoch_of(SampleOrder(100, 10, 1), 0));
  EXPECT_NE(epoch_of(order, 0), all_samples(100));
  EXPECT_NE(epoch_of(order, 0), epoch_of(order, 1));
  EXPECT_NE(epoch_of(order, 0), epoch_of(SampleOrder(100, 10, 2), 0));
}

TEST(SampleOrder, ReadsEachChunkAboutOnceAnEpoch) {
  constexpr int64_t kChunkSize = 32;
  constexpr int64_t kChunks = 300;
  const SampleOrder order(kChunks * kChunkSize - 5, kChunkSize, 1);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<int64_t> samples = epoch_of(order, epoch);
    constexpr int64_t kWindow = SampleOrder::kChunksPerWindow;
    EXPECT_LE(chunk_reads(samples, kChunkSize, kChunkSize, kWindow), kChunks + 2 * kWindow);
    EXPECT_LE(chunk_reads(samples, kChunkSize / 2, kChunkSize, 2 * kWindow), 2 * (kChunks + 2 * kWindow));
  }
}

TEST(SampleOrder, MixesTheChunksOfAWindow) {
  constexpr int64_t kChunkSize = 32;
  const std::vector<int64_t> samples = epoch_of(SampleOrder(300 * kChunkSize, kChunkSize, 1), 0);
  int64_t switches = 0;
  for (size_t i = 1; i < samples.size(); ++i) switches += samples[i] / kChunkSize != samples[i - 1] / kChunkSize;
  const double share = static_cast<double>(switches) / static_cast<double>(samples.size());
  EXPECT_NEAR(share, 1 - 1.0 / SampleOrder::kChunksPerWindow, 0.03);
}

TEST(SampleOrder, ShufflesEveryWindowAnew) {
  constexpr int64_t kChunkSize = 32;
  constexpr int64_t kWindow = SampleOrder::kChunksPerWindow * kChunkSize;
  const std::vector<int64_t> samples = epoch_of(SampleOrder(100 * kWindow, kChunkSize, 1), 0);
  int64_t same = 0;
  for (size_t i = kWindow; i < samples.size(); ++i) {
    same += samples[i] % kChunkSize == samples[i - kWindow] % kChunkSize;
  }
  EXPECT_NEAR(static_cast<double>(same) / static_cast<double>(samples.size()), 1.0 / kChunkSize, 0.01);
}

// Pairs of chunks whose samples are, on average, less than half a window apart.
std::set<std::pair<int64_t, int64_t>> neighbours(const SampleOrder& order, int64_t epoch, int64_t chunk_size) {
  std::vector<int64_t> mean_place(order.size() / chunk_size);
  for (int64_t place = 0; place < order.size(); ++place) {
    mean_place[order.at(epoch, place) / chunk_size] += place / chunk_size;
  }
  std::set<std::pair<int64_t, int64_t>> pairs;
  for (size_t a = 0; a < mean_place.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      const int64_t apart = std::abs(mean_place[a] - mean_place[b]);
      if (apart < chunk_size * SampleOrder::kChunksPerWindow / 2) pairs.emplace(a, b);
    }
  }
  return pairs;
}

TEST(SampleOrder, BringsOtherChunksTogetherInEachEpochAndSeed) {
  constexpr int64_t kChunks = 200;
  const SampleOrder order(kChunks * 32, 32, 1);
  const auto first = neighbours(order, 0, 32);
  ASSERT_GT(first.size(), static_cast<size_t>(2 * kChunks));
  for (const auto& other : {neighbours(order, 1, 32), neighbours(SampleOrder(kChunks * 32, 32, 2), 0, 32)}) {
    std::vector<std::pair<int64_t, int64_t>> both;
    std::ranges::set_intersection(first, other, std::back_inserter(both));
    EXPECT_LT(both.size(), first.size() / 5);
  }
  const auto in_storage_order = [](const auto& pair) { return pair.first - pair.second < 4; };
  EXPECT_LT(std::ranges::count_if(first, in_storage_order), kChunks / 2);
}

TEST(SampleOrder, EverySampleComesEverywhere) {
  constexpr int64_t kSize = 203;
  constexpr int64_t kEpochs = 4000;
  constexpr int64_t kParts = 7;
  const SampleOrder order(kSize, 4, 1);  // 51 chunks, the last of 3
  std::vector<std::vector<int64_t>> counts(kSize, std::vector<int64_t>(kParts));
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    for (int64_t place = 0; place < kSize; ++place) ++counts[order.at(epoch, place)][place * kParts / kSize];
  }
  constexpr double kExpected = static_cast<double>(kEpochs) / kParts;
  for (int64_t sample = 0; sample < kSize; ++sample) {
    double chi_square = 0;
    for (const int64_t count : counts[sample]) chi_square += std::pow(count - kExpected, 2) / kExpected;
    EXPECT_LT(chi_square, 30) << sample;  // 6 degrees of freedom, p = 4e-5
  }
}

TEST(SampleOrder, EveryOrderOfAFewSamplesIsEquallyLikely) {
  constexpr int64_t kEpochs = 24000;
  const SampleOrder order(4, 1, 1);
  std::map<std::vector<int64_t>, int64_t> counts;
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) ++counts[epoch_of(order, epoch)];
  EXPECT_EQ(counts.size(), 24u);
  double chi_square = 0;
  for (const auto& [samples, count] : counts) chi_square += std::pow(count - 1000.0, 2) / 1000;
  EXPECT_LT(chi_square, 50);  // 23 degrees of freedom, p = 0.001
}

TEST(SampleOrder, HandlesMoreSamplesThanMemoryCouldHold) {
  constexpr int64_t kSize = (int64_t{1} << 47) + 12345;
  const SampleOrder order(kSize, 4096, 1);
  for (const int64_t place : {int64_t{0}, kSize / 2, kSize - 1}) {
    EXPECT_GE(order.at(5, place), 0);
    EXPECT_LT(order.at(5, place), kSize);
  }
}

TEST(SampleOrder, RefusesAnEmptySet) {
  EXPECT_THROW(SampleOrder(0, 1, 1), ConfigError);
  EXPECT_THROW(SampleOrder(1, 0, 1), ConfigError);
}

}  // namespace
}  // namespace bertha
