#include "data/ordered_pipeline.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace bertha {
namespace {

void pause(int64_t i) {
  std::this_thread::sleep_for(std::chrono::microseconds((i * 7919) % 300));
}

void read_nothing(int64_t, int64_t&) {}

TEST(OrderedPipeline, ReadsAndConsumesInOrderOnAnyNumberOfThreads) {
  std::vector<int64_t> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  for (const int64_t threads : {1, 2, 5, 200}) {
    std::vector<int64_t> read, consumed;
    ordered_pipeline<int64_t>(
        100, threads,
        [&](int64_t i, int64_t& slot) {
          read.push_back(i);
          slot = i;
        },
        [](int64_t i, int64_t& slot) {
          pause(i);
          slot *= i;
        },
        [&](int64_t i, int64_t slot) {
          EXPECT_EQ(slot, i * i);
          consumed.push_back(i);
        });
    EXPECT_EQ(read, expected);
    EXPECT_EQ(consumed, expected);
  }
}

TEST(OrderedPipeline, HoldsNoMoreSlotsThanThreads) {
  std::atomic<int64_t> alive{0};
  std::atomic<int64_t> most{0};
  const auto produce = [&](int64_t i, int64_t&) {
    pause(i);
    most = std::max<int64_t>(most, ++alive);
  };
  ordered_pipeline<int64_t>(100, 3, read_nothing, produce, [&](int64_t, int64_t) { --alive; });
  EXPECT_LE(most, 3);
}

/// Runs 100 pieces of work and says what they failed with, and how many were consumed before.
template <class Read, class Produce>
std::pair<std::string, int64_t> failure_of(int64_t threads, Read&& read, Produce&& produce) {
  int64_t consumed = 0;
  try {
    ordered_pipeline<int64_t>(100, threads, read, produce, [&](int64_t, int64_t) { ++consumed; });
  } catch (const std::runtime_error& error) {
    return {error.what(), consumed};
  }
  return {"nothing", consumed};
}

TEST(OrderedPipeline, FailsAtTheFirstFailureInOrder) {
  const std::pair<std::string, int64_t> expected{"10", 10};
  for (const int64_t threads : {1, 4}) {
    const auto fail_late = [](int64_t i, int64_t&) {
      if (i == 10) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (i >= 10) throw std::runtime_error(std::to_string(i));
    };
    EXPECT_EQ(failure_of(threads, read_nothing, fail_late), expected);
    int64_t reads = 0;
    const auto fail_to_read = [&](int64_t i, int64_t&) {
      ++reads;
      if (i == 10) throw std::runtime_error("10");
    };
    EXPECT_EQ(failure_of(threads, fail_to_read, [](int64_t i, int64_t&) { pause(i); }), expected);
    EXPECT_EQ(reads, 11) << "nothing is read behind a failure";
  }
}

TEST(OrderedPipeline, AFailureToConsumeEndsIt) {
  std::atomic<int64_t> produced = 0;
  int64_t consumed = 0;
  const auto consume = [&](int64_t i, int64_t) {
    ++consumed;
    if (i == 5) throw std::runtime_error("full");
  };
  EXPECT_THROW(ordered_pipeline<int64_t>(
                   100, 4, read_nothing, [&](int64_t, int64_t&) { ++produced; }, consume),
               std::runtime_error);
  EXPECT_EQ(consumed, 6);
  EXPECT_LE(produced, 6 + 3);
}

}  // namespace
}  // namespace bertha
