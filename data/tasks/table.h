#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// Rows of texts under named columns. The ending of a file's name says how it is written:
/// `.tsv`    a line of names, then a row a line, fields parted by tabs, without quoting;
/// `.csv`    the same in comma-separated values (RFC 4180), see read_csv_record;
/// `.jsonl`  an object a line. The first one's keys are the columns; all others must have them too, and what more they
///           have is passed over. A number, `true` or `false` is its text, an array of these its elements joined by
///           blanks (see `list`);
/// each also compressed, with `.gz` behind. Empty lines are passed over.
class Table {
 public:
  /// Throws what open_bytes throws; ConfigError for another ending; DamagedFileError naming file and line for what is
  /// not UTF-8 or has a zero byte, a line of more than kMaxLineBytes, a row of too few or too many fields, a missing
  /// key, a repeated column, damaged quoting or JSON, and a file without rows.
  static Table read(const std::string& path);

  const std::string& path() const { return path_; }
  std::span<const std::string> columns() const { return columns_; }
  size_t rows() const { return lines_.size(); }

  /// The place of a column. Throws ConfigError with the columns there are, and the nearest where one is near.
  size_t column(std::string_view name) const;

  /// Throws DamagedFileError naming file and line where a row of JSON has no text there but null, an object, or an
  /// array of other things than texts.
  const std::string& at(size_t row, size_t column) const;

  /// The elements of an array; of any other cell what blanks part. Throws as `at` does.
  std::vector<std::string> list(size_t row, size_t column) const;

  /// The line of the file, from 1, on which a row begins.
  int64_t line(size_t row) const { return lines_[row]; }

 private:
  friend class TableReader;

  std::string path_;
  std::vector<std::string> columns_;
  std::vector<std::string> cells_;                    // row by row
  std::vector<int64_t> lines_;                        // by row
  std::map<size_t, std::vector<std::string>> lists_;  // by cell, of arrays
  std::map<size_t, std::string_view> problems_;       // by cell, what there is instead of a text
};

}  // namespace bertha
