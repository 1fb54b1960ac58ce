#include "visualize/terminal_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "data/printable.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr int64_t kRows = 10, kLabelWidth = 12;                           // -1.234e+100 and a blank
constexpr std::array<int, 7> kColors = {33, 208, 36, 175, 117, 220, 98};  // of the 256
constexpr std::string_view kMarks = "*+xo#%@=";

/// What is drawn into: dots, of which a character holds `across` times `down`.
struct Canvas {
  int64_t columns, rows;        // characters
  int64_t across, down;         // dots of a character
  std::vector<uint8_t> dots;    // by character: the bits of a braille pattern
  std::vector<int32_t> owners;  // by character: the curve that was drawn last, or -1

  Canvas(int64_t columns_, int64_t across_, int64_t down_)
      : columns(columns_),
        rows(kRows),
        across(across_),
        down(down_),
        dots(static_cast<size_t>(columns * rows)),
        owners(static_cast<size_t>(columns * rows), -1) {}

  void set(int64_t x, int64_t y, int32_t owner) {
    const auto cell = static_cast<size_t>(y / down * columns + x / across);
    dots[cell] |= braille_dot(x % across, y % down);
    owners[cell] = owner;
  }
};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool is_empty() const { return low > high; }
  // From 0 to `places` - 1.
  int64_t place(double value, int64_t places) const {
    const double share = high > low ? (value - low) / (high - low) : 0;
    return std::clamp<int64_t>(std::llround(share * static_cast<double>(places - 1)), 0, places - 1);
  }
};

// A curve's mean in each column; none where it has no point there.
std::vector<std::optional<double>> columns_of(const TerminalCurve& curve, const Range& steps, int64_t columns) {
  std::vector<double> sums(static_cast<size_t>(columns));
  std::vector<int64_t> counts(static_cast<size_t>(columns));
  for (const CurvePoint& point : curve.points) {
    if (!std::isfinite(point.value)) continue;
    const auto column = static_cast<size_t>(steps.place(static_cast<double>(point.step), columns));
    sums[column] += point.value;
    ++counts[column];
  }
  std::vector<std::optional<double>> means(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    if (counts[i] > 0) means[i] = sums[i] / static_cast<double>(counts[i]);
  }
  return means;
}

// Each column's dot, and those that join it to the one before.
void draw(const std::vector<std::optional<double>>& means, const Range& values, int32_t owner, Canvas& canvas) {
  const int64_t height = canvas.rows * canvas.down;
  std::optional<std::pair<int64_t, int64_t>> before;
  for (int64_t x = 0; x < std::ssize(means); ++x) {
    const std::optional<double>& mean = means[static_cast<size_t>(x)];
    if (!mean) continue;
    const int64_t y = height - 1 - values.place(*mean, height);
    const auto [from_x, from_y] = before.value_or(std::pair(x, y));
    const int64_t length = std::max({x - from_x, std::abs(y - from_y), int64_t{1}});
    for (int64_t i = 0; i <= length; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(length);
      canvas.set(from_x + std::llround(share * static_cast<double>(x - from_x)),
                 from_y + std::llround(share * static_cast<double>(y - from_y)), owner);
    }
    before = {x, y};
  }
}

std::string colored(const std::string& text, size_t place) {
  return fmt::format("\033[38;5;{}m{}\033[0m", kColors[place % kColors.size()], text);
}

std::string cell_text(const Canvas& canvas, size_t cell, bool as_marks, TerminalColors colors) {
  if (canvas.owners[cell] < 0) return " ";
  const auto owner = static_cast<size_t>(canvas.owners[cell]);
  if (as_marks) return curve_mark(owner, colors);
  std::string braille;
  append_utf8(kBraille + canvas.dots[cell], braille);
  return colors == TerminalColors::kOn ? colored(braille, owner) : braille;
}

std::string value_text(double value) {
  return fmt::format("{:.4g}", value);
}

// The title, and behind it, on as many lines as they take, the curves with their last values.
std::string heading(std::string_view title, std::span<const TerminalCurve> curves, int64_t width,
                    TerminalColors colors) {
  std::string text = printable(title);
  int64_t used = display_width(text);
  for (size_t i = 0; i < curves.size(); ++i) {
    const auto& points = curves[i].points;
    const std::string value = points.empty() ? "-" : value_text(points.back().value);
    const std::string name = curves.size() > 1 ? printable(curves[i].name) + " " : "";
    const std::string entry = fitted(name + value, std::min(display_width(name + value), width - 4), Cut::kBeginning);
    const int64_t length = display_width(entry) + 4;
    if (used + length > width) {
      text += "\n";
      used = 0;
    }
    text += "  " + (curves.size() > 1 ? curve_mark(i, colors) + " " : "") + entry;
    used += length;
  }
  return text + "\n";
}

// Where the numbers of the step axis go: its two ends, and the middle where there is room.
std::string step_axis(const Range& steps, int64_t columns) {
  const auto number = [](double step) { return fmt::format("{:.0f}", step); };
  const std::string first = number(steps.low), last = number(steps.high);
  std::string line(static_cast<size_t>(columns), ' ');
  const auto put = [&line](const std::string& text, size_t at) { line.replace(at, text.size(), text); };
  if (steps.high > steps.low && first.size() + last.size() < line.size()) put(last, line.size() - last.size());
  const std::string middle = number(std::floor((steps.low + steps.high) / 2));
  if (2 * first.size() + 2 * last.size() < line.size()) put(middle, line.size() / 2 - middle.size() / 2);
  put(first, 0);
  return line + " step";
}

}  // namespace

std::string curve_mark(size_t place, TerminalColors colors) {
  return colors == TerminalColors::kOn ? colored("■", place) : std::string(1, kMarks[place % kMarks.size()]);
}

std::string terminal_chart(std::string_view title, std::span<const TerminalCurve> curves, int64_t width,
                           TerminalColors colors) {
  constexpr int64_t kNarrowest = 30, kBehind = 5;  // " step"
  const bool as_marks = curves.size() > 1 && colors == TerminalColors::kOff;
  Canvas canvas(std::max(width, kNarrowest) - kLabelWidth - 1 - kBehind, as_marks ? 1 : 2, as_marks ? 1 : 4);
  Range steps, values;
  for (const TerminalCurve& curve : curves) {
    for (const CurvePoint& point : curve.points) {
      if (std::isfinite(point.value)) steps.add(static_cast<double>(point.step));
    }
  }
  if (steps.is_empty()) return "";
  std::vector<std::vector<std::optional<double>>> columns;
  for (const TerminalCurve& curve : curves) {
    columns.push_back(columns_of(curve, steps, canvas.columns * canvas.across));
    for (const std::optional<double>& mean : columns.back()) {
      if (mean) values.add(*mean);
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) draw(columns[i], values, static_cast<int32_t>(i), canvas);
  std::string text = heading(title, curves, width, colors);
  for (int64_t row = 0; row < canvas.rows; ++row) {
    const bool has_label = row == 0 || row == canvas.rows - 1 || row == (canvas.rows - 1) / 2;
    const double share = static_cast<double>(row) / static_cast<double>(canvas.rows - 1);
    const std::string label = has_label ? value_text(values.high - share * (values.high - values.low)) : "";
    text += fmt::format("{:>{}}{}", label, kLabelWidth - 1, has_label ? " ┤" : " │");
    for (int64_t column = 0; column < canvas.columns; ++column) {
      text += cell_text(canvas, static_cast<size_t>(row * canvas.columns + column), as_marks, colors);
    }
    text += "\n";
  }
  const std::string indent(kLabelWidth, ' ');
  std::string line;
  for (int64_t column = 0; column < canvas.columns; ++column) line += "─";
  return text + indent + "└" + line + "\n" + indent + " " + step_axis(steps, canvas.columns) + "\n";
}

}  // namespace bertha
