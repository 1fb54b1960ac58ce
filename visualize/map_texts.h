#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bertha {

/// Something known of each of a number of things: their texts, or, where all of these are numbers, the numbers.
struct PointColumn {
  std::string name = {};
  std::vector<std::string> texts = {};
  std::vector<double> numbers = {};  // one of the two is empty
};

/// Numbers where all texts are finite ones, and there are more of them than one would take for names.
PointColumn column_of_texts(std::string name, std::vector<std::string> texts);

/// Texts whose embeddings are wanted.
struct MapTexts {
  std::vector<std::string> texts = {};
  std::vector<int64_t> lines = {};  // of the file, from 1, on which they begin
  std::vector<PointColumn> columns = {};
};

/// The rows of a table (see Table) with `text_column`, or else its column `text`, and some more columns; of any other
/// file the lines that are not blank, which have no columns.
/// Throws what Table and Utf8Lines throw; ConfigError for a column that is not there, DamagedFileError for a file
/// without text.
MapTexts read_map_texts(const std::string& path, const std::optional<std::string>& text_column,
                        std::span<const std::string> columns);

}  // namespace bertha
