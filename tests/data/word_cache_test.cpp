#include "data/word_cache.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

TEST(WordCache, KeepsWhatComesFirst) {
  WordCache<int> cache(2, 3);
  std::vector<int> pieces = {7};
  EXPECT_FALSE(cache.append("a", pieces));
  cache.keep("a", {1, 2});
  cache.keep("long", {3});
  cache.keep("", {});
  cache.keep("b", {4});
  EXPECT_TRUE(cache.append("a", pieces));
  EXPECT_EQ(pieces, (std::vector{7, 1, 2}));
  EXPECT_TRUE(cache.append("", pieces));
  EXPECT_FALSE(cache.append("long", pieces)) << "longer than may be kept";
  EXPECT_FALSE(cache.append("b", pieces)) << "one more than may be kept";
  cache.keep("a", {5});
  EXPECT_TRUE(cache.append("a", pieces));
  EXPECT_EQ(pieces, (std::vector{7, 1, 2, 1, 2}));
}

}  // namespace
}  // namespace bertha
