#include "cli/inspect/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

#include "data/printable.h"

namespace bertha {
namespace {

std::string padded(const std::string& cell, size_t width, char alignment) {
  const std::string blanks(width - static_cast<size_t>(display_width(cell)), ' ');
  return alignment == 'l' ? cell + blanks : blanks + cell;
}

}  // namespace

std::string with_commas(int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    text += digits[i];
    const size_t left = digits.size() - i - 1;
    if (left > 0 && left % 3 == 0 && digits[i] != '-') text += ',';
  }
  return text;
}

std::string size_text(uint64_t bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string percent_text(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

std::string short_number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.4g}", value);
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

std::string bars(const int64_t* counts, size_t size) {
  constexpr std::array kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto most = static_cast<double>(*std::max_element(counts, counts + size));
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    const double height = std::ceil(static_cast<double>(counts[i]) / most * kBars.size());
    text += counts[i] > 0 ? kBars[static_cast<size_t>(height) - 1] : " ";
  }
  return text;
}

void Columns::print() const {
  std::vector<size_t> widths(alignments_.size());
  for (const std::vector<std::string>& row : rows_) {
    for (size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], static_cast<size_t>(display_width(row[column])));
    }
  }
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      line += (column > 0 ? "  " : "") + padded(row[column], widths[column], alignments_[column]);
    }
    line.resize(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

void print_member(std::string_view name, std::string_view value) {
  std::cout << fmt::format("{:<28} {}\n", name, value);
}

}  // namespace bertha
