#include "visualize/braille_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace bertha {
namespace {

Tensor places(const std::vector<float>& xy) {
  Tensor map = Tensor::uninitialized({std::ssize(xy) / 2, 2}, DType::f32);
  std::ranges::copy(xy, map.data<float>());
  return map;
}

TEST(BrailleMap, PutsEachPointWhereItIs) {
  const std::vector<std::string> names(4);
  // The corners of a square of 8 x 8 dots: 4 x 2 characters.
  EXPECT_EQ(braille_map(places({0, 0, 1, 0, 0, 1, 1, 1}), names, {}, {4, 2}), "⠁  ⠈\n⡀  ⢀\n");
  EXPECT_EQ(braille_map(places({0, 0, 1, 0, 0, 1, 1, 1}), names, {}, {8, 2}), "  ⠁  ⠈\n  ⡀  ⢀\n") << "in the middle";
  EXPECT_EQ(braille_map(places({7, 7, 7, 7, 7, 7, 7, 7}), names, {}, {2, 1}), " ⠄\n") << "all in one place";
}

TEST(BrailleMap, WritesNamesInTheirOrderWhereThereIsRoom) {
  const std::vector<std::string> names = {"late", "first", "apart", ""};
  const std::vector<int32_t> order = {1, 0, 2, 3};
  const Tensor map = places({0, 10, 0, 10, 0, -10, 100, 0});
  const std::string text = braille_map(map, names, order, {100, 20});
  EXPECT_EQ(text.find("first"), std::string::npos) << "would leave the picture on the left";
  const std::string wide = braille_map(places({0, 10, 0, 10, 0, -10, 10, 0, -10, 0}),
                                       std::vector<std::string>{"late", "first", "apart", "", ""}, order, {100, 20});
  EXPECT_NE(wide.find(" first\n"), std::string::npos) << wide;
  EXPECT_EQ(wide.find("late"), std::string::npos) << wide;
  EXPECT_NE(wide.find(" apart"), std::string::npos) << wide;
}

TEST(BrailleMap, LeavesOutNamesThatWouldMoveALineOrSteerATerminal) {
  const std::vector<int32_t> order = {0};
  const auto picture = [&](const std::string& name) {
    const std::vector<std::string> names = {name, "", ""};
    return braille_map(places({0, 0, 10, 10, -10, -10}), names, order, {60, 15});
  };
  EXPECT_NE(picture("straße").find("straße"), std::string::npos);
  EXPECT_NE(picture("a name of far too many letters").find("a name of far t…"), std::string::npos);
  for (const char* odd : {"東京", "\x1b[2J", "a\tb", "e\u0301", "\u200bx"}) EXPECT_EQ(picture(odd), picture("")) << odd;
}

}  // namespace
}  // namespace bertha
