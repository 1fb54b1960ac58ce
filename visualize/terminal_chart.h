#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "visualize/curve.h"
#include "visualize/terminal_text.h"

namespace bertha {

struct TerminalCurve {
  std::string name;
  std::vector<CurvePoint> points;  // in the order of their steps; NaN is a gap
};

/// How the curve of a place in a list is marked: in its colour, or by a character of its own where there are none.
std::string curve_mark(size_t place, TerminalColors colors);

/// Curves over steps, `width` characters wide: a title with the unit and each curve's last value, axes with their
/// numbers, and lines of braille characters, eight dots each. Several curves without colours are rows of their marks
/// instead. Lines end with '\n'; nothing where no curve has a point.
std::string terminal_chart(std::string_view title, std::span<const TerminalCurve> curves, int64_t width,
                           TerminalColors colors);

}  // namespace bertha
