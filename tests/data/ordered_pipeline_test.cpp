#include "data/ordered_pipeline.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <stdexcept>

namespace bertha {
namespace {

void pause(int64_t i) {
  std::this_thread::sleep_for(std::chrono::microseconds((i * 7919) % 300));
}

TEST(OrderedPipeline, ConsumesInOrderOnAnyNumberOfThreads) {
  for (const int64_t threads : {1, 2, 5, 200}) {
    std::vector<int64_t> consumed;
    const auto square = [](int64_t i) {
      pause(i);
      return i * i;
    };
    ordered_pipeline(100, threads, square, [&](int64_t i, int64_t result) {
      EXPECT_EQ(result, i * i);
      consumed.push_back(i);
    });
    std::vector<int64_t> expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(consumed, expected);
  }
}

TEST(OrderedPipeline, HoldsNoMoreResultsThanThreads) {
  std::atomic<int64_t> alive{0};
  std::atomic<int64_t> most{0};
  const auto produce = [&](int64_t i) {
    pause(i);
    most = std::max<int64_t>(most, ++alive);
    return i;
  };
  ordered_pipeline(100, 3, produce, [&](int64_t, int64_t) { --alive; });
  EXPECT_LE(most, 3);
}

TEST(OrderedPipeline, FailsAtTheFirstFailureInOrder) {
  for (const int64_t threads : {1, 4}) {
    std::vector<int64_t> consumed;
    const auto produce = [](int64_t i) {
      if (i == 10) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (i >= 10) throw std::runtime_error(std::to_string(i));
      return i;
    };
    try {
      ordered_pipeline(100, threads, produce, [&](int64_t i, int64_t) { consumed.push_back(i); });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "10");
    }
    EXPECT_EQ(consumed.size(), 10u);
  }
}

TEST(OrderedPipeline, AFailureToConsumeEndsIt) {
  int64_t consumed = 0;
  const auto consume = [&](int64_t i, int64_t) {
    ++consumed;
    if (i == 5) throw std::runtime_error("full");
  };
  EXPECT_THROW(ordered_pipeline(
                   100, 4, [](int64_t i) { return i; }, consume),
               std::runtime_error);
  EXPECT_EQ(consumed, 6);
}

}  // namespace
}  // namespace bertha
