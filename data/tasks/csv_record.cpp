#include "data/tasks/csv_record.h"

#include "data/shown.h"

namespace bertha {
namespace {

enum class Place { kFieldBegin, kInsideQuotes, kRecordEnd };

/// Takes a field apart from the front of `rest`, or as much of it as the line holds.
Place take_field(Utf8Lines& lines, std::string_view& rest, Place place, std::vector<std::string>& fields) {
  if (place == Place::kFieldBegin) {
    add_field(lines, fields, "");
    if (!rest.starts_with('"')) {
      const size_t comma = rest.find(',');
      fields.back() = rest.substr(0, comma);
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
      return comma == rest.npos ? Place::kRecordEnd : Place::kFieldBegin;
    }
    rest.remove_prefix(1);
  }
  for (;;) {
    const size_t quote = rest.find('"');
    fields.back().append(rest.substr(0, quote));
    if (quote == rest.npos) return Place::kInsideQuotes;
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"')) break;
    fields.back() += '"';
    rest.remove_prefix(1);
  }
  if (rest.empty()) return Place::kRecordEnd;
  if (rest.front() != ',') lines.refuse(lines.number(), shown(rest), " behind a closing quote (expected a comma)");
  rest.remove_prefix(1);
  return Place::kFieldBegin;
}

/// Takes a line of a record apart.
Place take_line(Utf8Lines& lines, std::string_view line, Place place, std::vector<std::string>& fields) {
  do {
    place = take_field(lines, line, place, fields);
  } while (place == Place::kFieldBegin);
  return place;
}

}  // namespace

int64_t read_csv_record(Utf8Lines& lines, std::vector<std::string>& fields) {
  fields.clear();
  std::string_view line;
  do {
    if (!lines.next(line)) return 0;
  } while (line.empty());
  const int64_t first = lines.number();
  int64_t opened = first;  // where the last field's quote is
  int64_t bytes = std::ssize(line);
  for (Place place = take_line(lines, line, Place::kFieldBegin, fields); place == Place::kInsideQuotes;) {
    const size_t open_fields = fields.size();
    if (bytes > kMaxLineBytes || !lines.next(line)) lines.refuse(opened, "a quote that is never closed");
    bytes += std::ssize(line) + 1;
    fields.back() += '\n';
    place = take_line(lines, line, Place::kInsideQuotes, fields);
    if (fields.size() > open_fields) opened = lines.number();
  }
  return first;
}

}  // namespace bertha
