#include "autograd/core/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <latch>
#include <thread>
#include <vector>

namespace bertha {
namespace {

constexpr size_t kMebi = size_t{1} << 20;

TEST(Memory, IsAlignedAndWritableToTheLastByte) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{4097}, 3 * kMebi + 5}) {
    const auto block = allocate(bytes);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block.get()) % 64, 0u) << bytes;
    std::memset(block.get(), 1, bytes);
  }
}

TEST(Memory, AReleasedBlockIsUsedAgainForALittleLess) {
  auto block = allocate(10 * kMebi);
  const std::byte* address = block.get();
  block.reset();
  EXPECT_EQ(allocate(10 * kMebi).get(), address);
  EXPECT_EQ(allocate(9 * kMebi).get(), address) << "the next batch is a little shorter";
  EXPECT_NE(allocate(5 * kMebi).get(), address) << "half of it would be lost";
}

TEST(Memory, BlocksThatLiveTogetherAreApart) {
  const auto first = allocate(kMebi);
  const auto second = allocate(kMebi);
  EXPECT_GE(std::abs(first.get() - second.get()), static_cast<ptrdiff_t>(kMebi));
}

TEST(Memory, CountsWhatIsHandedOut) {
  const size_t before = memory_use().current_bytes;
  {
    const auto block = allocate(20 * kMebi);
    const size_t handed_out = memory_use().current_bytes - before;
    EXPECT_GE(handed_out, 20 * kMebi);
    EXPECT_LE(handed_out, 20 * kMebi / 4 * 5) << "an eighth is rounding, a used block may be a quarter larger";
    EXPECT_GE(memory_use().peak_bytes, before + handed_out);
  }
  EXPECT_EQ(memory_use().current_bytes, before);
  EXPECT_GE(memory_use().peak_bytes, before + 20 * kMebi) << "the peak stays";
}

TEST(Memory, KeepsLittleMoreThanWasOnceHandedOut) {
  for (size_t size = kMebi; size < 100 * kMebi; size += size / 2) {
    const auto one = allocate(size);
    const auto other = allocate(size / 3);
    EXPECT_LE(memory_use().kept_bytes, memory_use().peak_bytes / 8 * 9) << size;
  }
  for (size_t size = 100 * kMebi; size > kMebi; size -= size / 3) {
    const auto one = allocate(size);
    EXPECT_LE(memory_use().kept_bytes, memory_use().peak_bytes / 8 * 9) << size;
  }
}

TEST(Memory, ThreadsNeverShareABlock) {
  std::vector<std::jthread> threads;
  std::vector<int> torn(4);
  std::latch all_are_there(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &torn, &all_are_there] {
      all_are_there.arrive_and_wait();
      for (int round = 0; round < 50000; ++round) {
        const size_t bytes = 256 + static_cast<size_t>(round % 7) * 100;
        const auto block = allocate(bytes);
        std::memset(block.get(), t, bytes);
        for (size_t i = 0; i < bytes; ++i) torn[static_cast<size_t>(t)] += block.get()[i] != std::byte(t);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(torn, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace bertha
