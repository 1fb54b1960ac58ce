#include "visualize/terminal_chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "data/utf8.h"

namespace bertha {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TerminalCurve line_from(const std::string& name, double first, double last) {
  TerminalCurve curve{name, {}};
  for (int64_t step = 0; step <= 100; step += 10) {
    curve.points.push_back({step, first + (last - first) * static_cast<double>(step) / 100});
  }
  return curve;
}

// A character of a line, counted in code points.
char32_t at(const std::string& line, int64_t place) {
  std::string_view rest = line;
  for (; place > 0; --place) rest.remove_prefix(static_cast<size_t>(decode_utf8(rest).bytes));
  return decode_utf8(rest).value;
}

TEST(TerminalChart, ARisingLineGoesFromTheLowestLeftToTheHighestRight) {
  const std::vector<TerminalCurve> curves = {line_from("run", 1, 3)};
  const auto lines = lines_of(terminal_chart("loss (nats)", curves, 40, TerminalColors::kOff));
  ASSERT_EQ(lines.size(), 13u);
  EXPECT_EQ(lines[0], "loss (nats)  3");
  EXPECT_TRUE(lines[1].starts_with("          3 ┤")) << lines[1];
  EXPECT_TRUE(lines[5].starts_with("      2.111 ┤")) << lines[5];
  EXPECT_TRUE(lines[10].starts_with("          1 ┤")) << lines[10];
  // 22 columns of characters: the first dots are at the bottom, the last ones at the top.
  EXPECT_EQ(at(lines[10], 13) & 0xFF00, U'\u2800') << lines[10];
  EXPECT_EQ(at(lines[10], 13) & 0xC0, 0x40u) << "the lowest dot on the left";
  EXPECT_EQ(at(lines[1], 34) & 0x08, 0x08u) << "the highest dot on the right";
  EXPECT_EQ(at(lines[1], 13), U' ');
  EXPECT_EQ(lines[12], "             0         50       100 step");
}

TEST(TerminalChart, ASpikeAndAConstantAreDrawn) {
  TerminalCurve spike{"run", {}};
  for (int64_t step = 1; step <= 20; ++step) spike.points.push_back({step, step == 10 ? 9.0 : 1.0});
  const std::vector<TerminalCurve> curves = {spike};
  const auto lines = lines_of(terminal_chart("norm", curves, 60, TerminalColors::kOff));
  EXPECT_NE(lines[1].substr(15).find_first_not_of(' '), std::string::npos) << lines[1];
  const std::vector<TerminalCurve> constant = {{"run", {{5, 2}}}};
  EXPECT_EQ(lines_of(terminal_chart("norm", constant, 60, TerminalColors::kOff)).size(), 13u);
}

TEST(TerminalChart, CurvesAreToldApartWithAndWithoutColours) {
  const std::vector<TerminalCurve> curves = {line_from("up", 0, 1), line_from("down", 1, 0)};
  const std::string plain = terminal_chart("loss", curves, 50, TerminalColors::kOff);
  EXPECT_EQ(plain.find('\033'), std::string::npos);
  const auto lines = lines_of(plain);
  EXPECT_EQ(lines[0], "loss  * up 1  + down 0");
  EXPECT_EQ(at(lines[10], 13), U'*');
  EXPECT_EQ(at(lines[1], 13), U'+');
  const std::string colored = terminal_chart("loss", curves, 50, TerminalColors::kOn);
  EXPECT_NE(colored.find("\033[38;5;33m"), std::string::npos);
  EXPECT_NE(colored.find("\033[38;5;208m"), std::string::npos);
}

TEST(TerminalChart, FitsTheWidth) {
  const std::vector<TerminalCurve> curves = {line_from("a run with a long name, as paths are", 0, 1e-7),
                                             line_from("b", 0, 123456)};
  for (const int64_t width : {30, 40, 79, 80, 200}) {
    for (const std::string& line : lines_of(terminal_chart("loss", curves, width, TerminalColors::kOff))) {
      EXPECT_LE(count_code_points(line), width) << line;
    }
  }
}

TEST(TerminalChart, TheAxisIsStraightWhateverTheNumbers) {
  for (const double largest : {3.0, 18850.0, 9.259e-06, 1e99, -1e99, 1e308}) {
    const std::vector<TerminalCurve> curves = {line_from("run", -largest / 3, largest)};
    const auto lines = lines_of(terminal_chart("loss", curves, 60, TerminalColors::kOff));
    for (size_t i = 1; i <= 10; ++i) EXPECT_TRUE(at(lines[i], 12) == U'┤' || at(lines[i], 12) == U'│') << lines[i];
  }
}

TEST(TerminalChart, AStepWithoutRoomIsLeftOut) {
  const std::vector<TerminalCurve> curves = {{"run", {{1, 2}, {900'000'000'000'000'000, 1}}}};
  const auto lines = lines_of(terminal_chart("loss", curves, 24, TerminalColors::kOff));
  EXPECT_EQ(lines[12], "             1            step");
}

TEST(TerminalChart, NothingIsDrawnOfNothing) {
  EXPECT_EQ(terminal_chart("loss", {}, 80, TerminalColors::kOff), "");
  const std::vector<TerminalCurve> gaps = {{"run", {{1, NAN}}}};
  EXPECT_EQ(terminal_chart("loss", gaps, 80, TerminalColors::kOff), "");
}

}  // namespace
}  // namespace bertha
