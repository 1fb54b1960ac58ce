#include "autograd/core/random.h"

#include <gtest/gtest.h>

#include <vector>

namespace bertha {
namespace {

TEST(RandomStream, IsAPureFunctionOfItsArguments) {
  RandomStream first(7, "order", 3, 4);
  RandomStream again(7, "order", 3, 4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(first.next_u32(), again.next_u32());
}

TEST(RandomStream, EveryArgumentChangesTheDraws) {
  const uint64_t base = RandomStream(7, "order", 3, 4).next_u64();
  EXPECT_NE(base, RandomStream(8, "order", 3, 4).next_u64());
  EXPECT_NE(base, RandomStream(7, "mask", 3, 4).next_u64());
  EXPECT_NE(base, RandomStream(7, "order", 4, 4).next_u64());
  EXPECT_NE(base, RandomStream(7, "order", 3, 5).next_u64());
}

TEST(RandomStream, BelowIsUniformAndExcludesItsBound) {
  RandomStream stream(1, "test");
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts.at(stream.below(7));
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom, p = 0.001
}

TEST(RandomStream, NormalHasUnitVariance) {
  RandomStream stream(2, "test");
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

}  // namespace
}  // namespace bertha
