#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bertha {

/// 109,482,240.
std::string with_commas(int64_t number);
/// 512 B, 93.8 MB: a thousand bytes are a kB.
std::string size_text(uint64_t bytes);
/// 21.8 %.
std::string percent_text(double share);
/// Few digits; "-" for NaN.
std::string short_number(double value);
/// (30522, 768).
std::string shape_text(const std::vector<int64_t>& shape);
/// The heights of the counts, one character each.
std::string bars(const int64_t* counts, size_t size);

/// Rows of cells under each other, each column as wide as its widest cell.
class Columns {
 public:
  /// One letter a column: l to the left, r to the right.
  explicit Columns(std::string alignments) : alignments_(std::move(alignments)) {}

  /// Columns that are left out at the end are empty.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// On standard output.
  void print() const;

 private:
  std::string alignments_;
  std::vector<std::vector<std::string>> rows_;
};

/// A name and its value as a line of standard output; long names push the value to the right.
void print_member(std::string_view name, std::string_view value);

}  // namespace bertha
