#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "autograd/core/error.h"
#include "data/line_reader.h"

namespace bertha {

/// The lines of a text file, compressed where its name ends in `.gz`. A byte order mark at the front and a carriage
/// return before a line's end are left out.
class Utf8Lines {
 public:
  /// Throws what open_bytes throws.
  explicit Utf8Lines(const std::string& path);

  /// Gives the next line, valid until the next call; false behind the last.
  /// Throws DamagedFileError naming the file and line of what is too long, not UTF-8 or has a zero byte.
  bool next(std::string_view& line);

  const std::string& path() const { return reader_.path(); }
  /// Of the line that was given last, from 1.
  int64_t number() const { return reader_.number(); }

  /// Throws DamagedFileError that starts with the file and a line of it.
  template <class... Parts>
  [[noreturn]] void refuse(int64_t line, const Parts&... parts) const {
    fail<DamagedFileError>(path(), ":", line, ": ", parts...);
  }

 private:
  LineReader reader_;
};

}  // namespace bertha
