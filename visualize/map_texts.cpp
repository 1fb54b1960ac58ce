#include "visualize/map_texts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "autograd/core/error.h"
#include "data/lines.h"
#include "data/tasks/table.h"
#include "data/tasks/utf8_lines.h"

namespace bertha {
namespace {

constexpr size_t kMostNumberNames = 8;  // such as classes 0 and 1, or one to five stars

bool is_table(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".tsv") || path.ends_with(".csv") || path.ends_with(".jsonl");
}

MapTexts read_table(const std::string& path, const std::string& text_column, std::span<const std::string> columns) {
  const Table table = Table::read(path);
  const auto cells = [&](const std::string& name) {
    const size_t column = table.column(name);
    std::vector<std::string> texts;
    for (size_t row = 0; row < table.rows(); ++row) texts.push_back(table.at(row, column));
    return texts;
  };
  MapTexts read;
  read.texts = cells(text_column);
  for (size_t row = 0; row < table.rows(); ++row) read.lines.push_back(table.line(row));
  for (const std::string& name : columns) read.columns.push_back(column_of_texts(name, cells(name)));
  return read;
}

MapTexts read_lines(const std::string& path) {
  MapTexts read;
  Utf8Lines lines(path);
  for (std::string_view line; lines.next(line);) {
    if (is_blank(line)) continue;
    read.texts.emplace_back(line);
    read.lines.push_back(lines.number());
  }
  check<DamagedFileError>(!read.texts.empty(), path, ": holds no text (expected a text a line)");
  return read;
}

}  // namespace

PointColumn column_of_texts(std::string name, std::vector<std::string> texts) {
  PointColumn column{.name = std::move(name)};
  for (const std::string& text : texts) {
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || stop != text.data() + text.size() || !std::isfinite(number)) break;
    column.numbers.push_back(number);
  }
  const bool are_numbers = column.numbers.size() == texts.size() &&
                           std::set<double>(column.numbers.begin(), column.numbers.end()).size() > kMostNumberNames;
  if (are_numbers) return column;
  return {.name = std::move(column.name), .texts = std::move(texts)};
}

MapTexts read_map_texts(const std::string& path, const std::optional<std::string>& text_column,
                        std::span<const std::string> columns) {
  if (is_table(path)) return read_table(path, text_column.value_or("text"), columns);
  check<ConfigError>(!text_column && columns.empty(), path,
                     ": has no columns (a table's name ends in .tsv, .csv or .jsonl, with or without .gz)");
  return read_lines(path);
}

}  // namespace bertha
