#pragma once

#include <string>
#include <vector>

#include "data/tasks/utf8_lines.h"

namespace bertha {

/// Appends a field of a row; refuses a row that has more than anybody needs, since each takes many times its bytes.
inline void add_field(const Utf8Lines& lines, std::vector<std::string>& fields, std::string_view field) {
  constexpr size_t kMostFields = 10'000;
  if (fields.size() == kMostFields) lines.refuse(lines.number(), "more than ", kMostFields, " fields");
  fields.emplace_back(field);
}

/// Reads the fields of the next record of comma-separated values (RFC 4180) and says on which line it begins; 0 behind
/// the last. A field that begins with a quote ends with one; within, a doubled quote is a quote, and a line end of
/// whatever kind comes out as '\n'. Empty lines between records are passed over.
/// Throws DamagedFileError naming the file and line of a quote that is never closed, or closed before a field's end.
int64_t read_csv_record(Utf8Lines& lines, std::vector<std::string>& fields);

}  // namespace bertha
