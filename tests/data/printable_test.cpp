#include "data/printable.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

TEST(Printable, CannotSteerTheTerminal) {
  EXPECT_EQ(printable("a\033[31mb\tc\x7f"), "a?[31mb?c?");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m\xE2\x80\xAE"
                      "x"),
            "?31m?x");
  EXPECT_EQ(printable("\xFF"), "?");
  EXPECT_EQ(printable("Grüße 北"), "Grüße 北");
}

TEST(Printable, HasAWidth) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("Grüße"), 5);
  EXPECT_EQ(display_width("東京 e\xCC\x81"), 6);
}

}  // namespace
}  // namespace bertha
