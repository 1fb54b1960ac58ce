#include "data/sampler.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include "autograd/core/error.h"
#include "autograd/core/random.h"

namespace bertha {
namespace {

uint64_t random_word(uint64_t seed, std::string_view purpose, int64_t a, int64_t b) {
  return RandomStream(seed, purpose, static_cast<uint64_t>(a), static_cast<uint64_t>(b)).next_u64();
}

uint64_t feistel(uint64_t x, int half_bits, uint64_t key) {
  constexpr uint64_t kRounds = 8;
  const uint64_t half_mask = (uint64_t{1} << half_bits) - 1;
  uint64_t left = x >> half_bits;
  uint64_t right = x & half_mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    left ^= mix(key + round, right) & half_mask;
    std::swap(left, right);
  }
  return left << half_bits | right;
}

// Where a keyed permutation of [0, size) sends x.
int64_t permute(int64_t x, int64_t size, uint64_t key) {
  const auto bound = static_cast<uint64_t>(size);
  const int half_bits = (std::bit_width(bound - 1) + 1) / 2;
  auto y = static_cast<uint64_t>(x);
  do {
    y = feistel(y, half_bits, key);
  } while (y >= bound);
  return static_cast<int64_t>(y);
}

}  // namespace

SampleOrder::SampleOrder(int64_t size, int64_t chunk_size, uint64_t seed)
    : size_(size), chunk_size_(std::min(chunk_size, size)), seed_(seed) {
  check<ConfigError>(size >= 1 && chunk_size >= 1, "sample order: ", size, " samples in chunks of ", chunk_size,
                     " (expected at least 1 of each)");
}

int64_t SampleOrder::at(int64_t epoch, int64_t place) const {
  // The last chunk, which may be part-filled, stays last; the rotation takes it to another place in every epoch.
  const uint64_t rotation = random_word(seed_, "epoch rotation", epoch, 0) % static_cast<uint64_t>(size_);
  const int64_t rotated = (place + static_cast<int64_t>(rotation)) % size_;

  const int64_t window = rotated / kChunksPerWindow / chunk_size_;
  const int64_t window_begin = window * kChunksPerWindow * chunk_size_;
  const int64_t window_size = std::min(kChunksPerWindow * chunk_size_, size_ - window_begin);
  const uint64_t window_key = random_word(seed_, "window order", epoch, window);
  const int64_t shuffled = window_begin + permute(rotated - window_begin, window_size, window_key);

  const int64_t full_chunks = size_ / chunk_size_;
  const int64_t slot = shuffled / chunk_size_;
  const int64_t chunk =
      slot < full_chunks ? permute(slot, full_chunks, random_word(seed_, "chunk order", epoch, 0)) : slot;
  return chunk * chunk_size_ + shuffled % chunk_size_;
}

}  // namespace bertha
