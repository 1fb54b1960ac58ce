#include "train/duration.h"

#include <gtest/gtest.h>

#include <limits>

namespace bertha {
namespace {

TEST(Duration, IsAWholeNumberOfOneUnit) {
  EXPECT_EQ(parse_duration("90s")->count(), 90);
  EXPECT_EQ(parse_duration("30m")->count(), 1800);
  EXPECT_EQ(parse_duration("2h")->count(), 7200);
  EXPECT_EQ(parse_duration("3d")->count(), 259200);
  EXPECT_EQ(parse_duration("10000d")->count(), 864000000);
  for (const char* text : {"", "2", "h", "2 h", "-2h", "+2h", "1.5h", "2h30m", "2H", "0x2s", "10001d", "864000001s",
                           "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, PrintsWhatParsesToTheSame) {
  for (const char* text : {"1s", "90s", "61m", "2h", "36h", "3d", "0s"})
    EXPECT_EQ(to_text(*parse_duration(text)), text);
  EXPECT_EQ(to_text(std::chrono::minutes(120)), "2h");
}

TEST(Duration, IsWrittenAsAClockHasIt) {
  EXPECT_EQ(clock_text(0), "0:00:00");
  EXPECT_EQ(clock_text(3723.9), "1:02:03");
  EXPECT_EQ(clock_text(1e6), "277:46:40");
  for (const double impossible : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(clock_text(impossible), "-");
}

}  // namespace
}  // namespace bertha
