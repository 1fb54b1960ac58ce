#include "data/tasks/table.h"

#include <algorithm>
#include <iterator>

#include "autograd/core/error.h"
#include "data/lines.h"
#include "data/nearest_name.h"
#include "data/shown.h"
#include "data/tasks/blank_separated.h"
#include "data/tasks/csv_record.h"
#include "data/tasks/json_row.h"
#include "data/tasks/utf8_lines.h"

namespace bertha {
namespace {

constexpr size_t kMostNames = 20;  // that a sentence lists

std::string joined(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names.first(std::min(names.size(), kMostNames)))
    list += (list.empty() ? "" : ", ") + shown(name);
  return list + (names.size() > kMostNames ? ", ..." : "");
}

/// What of a file is kept. Reading it once for nothing refuses what is damaged before it takes memory: in which a cell
/// takes many times its bytes.
enum class Keep { kNothing, kEverything };

/// The fields of the next row of tab-separated values and its line; 0 behind the last.
int64_t read_tsv_row(Utf8Lines& lines, std::vector<std::string>& fields) {
  fields.clear();
  std::string_view line;
  do {
    if (!lines.next(line)) return 0;
  } while (line.empty());
  for (size_t tab; (tab = line.find('\t')) != line.npos; line.remove_prefix(tab + 1))
    add_field(lines, fields, line.substr(0, tab));
  add_field(lines, fields, line);
  return lines.number();
}

}  // namespace

/// Fills a table from a file.
class TableReader {
 public:
  TableReader(const std::string& path, Keep keep) : keep_(keep), lines_(path) { table_.path_ = path; }

  using ReadRow = int64_t (*)(Utf8Lines&, std::vector<std::string>&);
  void read_separated(ReadRow read_row) {
    std::vector<std::string> fields;
    const int64_t header = read_row(lines_, fields);
    check<DamagedFileError>(header > 0, table_.path_, ": empty (expected a line of column names)");
    add_columns(header, std::move(fields));
    while (const int64_t line = read_row(lines_, fields)) {
      if (fields.size() != table_.columns_.size())
        lines_.refuse(line, fields.size(), " field(s) (expected ", table_.columns_.size(), ": ",
                      joined(table_.columns_), ")");
      has_rows_ = true;
      if (keep_ == Keep::kNothing) continue;
      table_.lines_.push_back(line);
      std::ranges::move(fields, std::back_inserter(table_.cells_));
    }
  }

  void read_json() {
    std::vector<JsonField> fields;
    for (std::string_view line; lines_.next(line); fields.clear()) {
      if (is_blank(line)) continue;
      const std::string complaint = read_json_row(line, fields);
      if (!complaint.empty()) lines_.refuse(lines_.number(), complaint, " (expected a JSON object)");
      if (!has_rows_) add_columns(fields);
      has_rows_ = true;
      add_row(fields);
    }
  }

  Table take() {
    check<DamagedFileError>(has_rows_, table_.path_, ": no rows");
    return std::move(table_);
  }

 private:
  void add_columns(int64_t line, std::vector<std::string> names) {
    for (size_t i = 0; i < names.size(); ++i)
      if (!places_.emplace(names[i], i).second) lines_.refuse(line, "two columns are called ", shown(names[i]));
    table_.columns_ = std::move(names);
  }

  void add_columns(const std::vector<JsonField>& fields) {
    std::vector<std::string> names;
    for (const JsonField& field : fields) names.push_back(field.name);
    if (names.empty()) lines_.refuse(lines_.number(), "an object without keys (expected a row's columns)");
    add_columns(lines_.number(), std::move(names));
  }

  void add_row(std::vector<JsonField>& fields) {
    check_complete(fields);
    if (keep_ == Keep::kNothing) return;
    const size_t begin = table_.cells_.size(), columns = table_.columns_.size();
    table_.cells_.resize(begin + columns);
    table_.lines_.push_back(lines_.number());
    for (JsonField& field : fields) {
      const auto place = places_.find(field.name);
      if (place == places_.end()) continue;
      const size_t cell = begin + place->second;
      if (field.problem) table_.problems_.emplace(cell, field.problem);
      if (field.is_list) table_.lists_.emplace(cell, std::move(field.items));
      table_.cells_[cell] = std::move(field.text);
    }
  }

  void check_complete(const std::vector<JsonField>& fields) {
    std::vector<bool> found(table_.columns_.size());
    for (const JsonField& field : fields) {
      const auto place = places_.find(field.name);
      if (place != places_.end()) found[place->second] = true;
    }
    const auto missing = static_cast<size_t>(std::ranges::find(found, false) - found.begin());
    if (missing < found.size())
      lines_.refuse(lines_.number(), shown(table_.columns_[missing]), " is missing (the first row has it)");
  }

  Keep keep_;
  Utf8Lines lines_;
  Table table_;
  bool has_rows_ = false;
  std::map<std::string, size_t> places_;  // of the columns
};

Table Table::read(const std::string& path) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  const auto read = [&](Keep keep) {
    TableReader reader(path, keep);
    if (name.ends_with(".tsv")) {
      reader.read_separated(read_tsv_row);
    } else if (name.ends_with(".csv")) {
      reader.read_separated(read_csv_record);
    } else if (name.ends_with(".jsonl")) {
      reader.read_json();
    } else {
      fail<ConfigError>(path, ": not a table by its name (expected .tsv, .csv or .jsonl, or one of them with .gz)");
    }
    return reader.take();
  };
  read(Keep::kNothing);
  return read(Keep::kEverything);
}

size_t Table::column(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  const std::vector<std::string_view> names(columns_.begin(), columns_.end());
  const std::string_view nearest = nearest_name(name, names);
  const std::string advice = nearest.empty() ? "" : "; did you mean " + shown(nearest) + "?";
  fail<ConfigError>(path_, ": no column ", shown(name), " (there are ", joined(columns_), advice, ")");
}

const std::string& Table::at(size_t row, size_t column) const {
  const size_t cell = row * columns_.size() + column;
  const auto problem = problems_.find(cell);
  if (problem != problems_.end())
    fail<DamagedFileError>(path_, ":", lines_[row], ": ", shown(columns_[column]),
                           lists_.contains(cell) ? " holds " : " is ", problem->second,
                           " (expected a text, a number, true, false, or an array of them)");
  return cells_[cell];
}

std::vector<std::string> Table::list(size_t row, size_t column) const {
  const std::string& text = at(row, column);
  const auto found = lists_.find(row * columns_.size() + column);
  return found != lists_.end() ? found->second : blank_separated(text);
}

}  // namespace bertha
