#include "train/process.h"

#include <gtest/gtest.h>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

TEST(Process, RangesAreShort) {
  EXPECT_EQ(ranges_text({}), "");
  EXPECT_EQ(ranges_text({5}), "5");
  EXPECT_EQ(ranges_text({0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
}

TEST(Process, RunsSomewhereInSomeMemory) {
  EXPECT_FALSE(usable_processors().empty());
  EXPECT_GT(peak_rss_mib(), 1);
}

}  // namespace
}  // namespace bertha
