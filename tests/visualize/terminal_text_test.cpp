#include "visualize/terminal_text.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

TEST(TerminalText, FitsByCuttingTheBeginning) {
  EXPECT_EQ(fitted("runs/a", 8, Cut::kBeginning), "runs/a  ");
  EXPECT_EQ(fitted("runs/längste", 6, Cut::kBeginning), "…ngste");
  EXPECT_EQ(fitted("runs", 0, Cut::kBeginning), "");
}

TEST(TerminalText, FitsByCuttingTheEnd) {
  EXPECT_EQ(fitted("längste", 4, Cut::kEnd), "län…");
  EXPECT_EQ(fitted("e\xCC\x81x", 2, Cut::kEnd), "e\xCC\x81x") << "an accent takes no column";
  EXPECT_EQ(fitted("x", 0, Cut::kEnd), "");
}

TEST(TerminalText, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(fitted("東京", 6, Cut::kEnd), "東京  ");
  EXPECT_EQ(fitted("東京東京", 6, Cut::kEnd), "東京… ");
  EXPECT_EQ(fitted("東京東京", 6, Cut::kBeginning), "…東京 ");
}

}  // namespace
}  // namespace bertha
