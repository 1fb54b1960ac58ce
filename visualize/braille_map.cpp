#include "visualize/braille_map.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/utf8.h"
#include "visualize/terminal_text.h"

namespace bertha {
namespace {

constexpr int64_t kAcross = 2, kDown = 4;  // dots of a character
constexpr size_t kLongestName = 16;        // in code points
constexpr int64_t kCharactersOfOne = 90;   // of the picture, for one name

struct Place {
  int64_t column = 0, line = 0;
};

/// Where points are in a picture, the whole of them centred and as large as fits.
class Frame {
 public:
  Frame(const Tensor& map, CharacterSize size)
      : map_(map), width_(size.columns * kAcross), height_(size.lines * kDown) {
    float low[2] = {at(0, 0), at(0, 1)}, high[2] = {at(0, 0), at(0, 1)};
    for (int64_t i = 0; i < map.rows(); ++i) {
      for (int axis = 0; axis < 2; ++axis) {
        low[axis] = std::min(low[axis], at(i, axis));
        high[axis] = std::max(high[axis], at(i, axis));
      }
    }
    for (int axis = 0; axis < 2; ++axis) middle_[axis] = (low[axis] + high[axis]) / 2;
    // Dots are as far apart across as down.
    const double widest = std::max(1e-9, double{high[0]} - low[0]);
    const double highest = std::max(1e-9, double{high[1]} - low[1]);
    scale_ = std::min(static_cast<double>(width_ - 1) / widest, static_cast<double>(height_ - 1) / highest);
  }

  Place dot(int64_t point) const {
    const double x = (at(point, 0) - middle_[0]) * scale_ + static_cast<double>(width_ - 1) / 2;
    const double y = static_cast<double>(height_ - 1) / 2 - (at(point, 1) - middle_[1]) * scale_;
    return {std::clamp<int64_t>(std::llround(x), 0, width_ - 1), std::clamp<int64_t>(std::llround(y), 0, height_ - 1)};
  }

 private:
  float at(int64_t point, int axis) const { return map_.data<float>()[2 * point + axis]; }

  const Tensor& map_;
  int64_t width_, height_;
  float middle_[2] = {};
  double scale_ = 1;
};

/// Characters of a picture, line by line.
class Canvas {
 public:
  explicit Canvas(CharacterSize size)
      : size_(size), cells_(static_cast<size_t>(size.columns * size.lines), kBraille), taken_(cells_.size(), false) {}

  void put_dot(Place dot) {
    cells_[index({dot.column / kAcross, dot.line / kDown})] |= braille_dot(dot.column % kAcross, dot.line % kDown);
  }

  /// Where there is room for it, with a blank on both sides.
  void put_name(Place center, const std::u32string& name) {
    const auto length = static_cast<int64_t>(name.size());
    const Place begin{center.column - length / 2 - 1, center.line};
    if (begin.column < 0 || begin.column + length + 2 > size_.columns) return;
    const auto cells = static_cast<std::ptrdiff_t>(index(begin));
    const auto is_taken = [](bool taken) { return taken; };
    if (std::any_of(taken_.begin() + cells, taken_.begin() + cells + length + 2, is_taken)) return;
    std::fill_n(taken_.begin() + cells, length + 2, true);
    cells_[index(begin)] = U' ';
    std::ranges::copy(name, cells_.begin() + cells + 1);
    cells_[static_cast<size_t>(cells + length + 1)] = U' ';
    ++names_;
  }

  int64_t names() const { return names_; }

  std::string text() const {
    std::string text;
    for (int64_t line = 0; line < size_.lines; ++line) {
      const auto begin = cells_.begin() + line * size_.columns;
      auto end = begin + size_.columns;
      while (end > begin && is_blank(end[-1])) --end;
      std::for_each(begin, end, [&](char32_t cell) { append_utf8(is_blank(cell) ? U' ' : cell, text); });
      text += '\n';
    }
    return text;
  }

 private:
  static bool is_blank(char32_t cell) { return cell == kBraille || cell == U' '; }

  size_t index(Place place) const { return static_cast<size_t>(place.line * size_.columns + place.column); }

  CharacterSize size_;
  std::vector<char32_t> cells_;
  std::vector<bool> taken_;
  int64_t names_ = 0;
};

// Characters one column wide alone: others would move the rest of their line.
std::u32string narrow_name(std::string_view name) {
  std::u32string text;
  while (!name.empty() && text.size() < kLongestName) {
    const auto [value, bytes] = decode_utf8(name);
    const bool narrow = bytes > 0 && value >= 0x20 && value < 0x0300 && (value < 0x7F || value >= 0xA1);
    if (!narrow) return {};
    text += value;
    name.remove_prefix(static_cast<size_t>(bytes));
  }
  if (!name.empty()) text.back() = U'…';
  return text;
}

}  // namespace

std::string braille_map(const Tensor& map, std::span<const std::string> names, std::span<const int32_t> first,
                        CharacterSize size) {
  const Frame frame(map, size);
  Canvas canvas(size);
  for (int64_t i = 0; i < map.rows(); ++i) canvas.put_dot(frame.dot(i));
  const int64_t most = std::max<int64_t>(1, size.columns * size.lines / kCharactersOfOne);
  for (const int32_t point : first) {
    if (canvas.names() == most) break;
    const Place dot = frame.dot(point);
    const std::u32string name = narrow_name(names[static_cast<size_t>(point)]);
    if (!name.empty()) canvas.put_name({dot.column / kAcross, dot.line / kDown}, name);
  }
  return canvas.text();
}

}  // namespace bertha
