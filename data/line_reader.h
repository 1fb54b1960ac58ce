#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "data/byte_stream.h"

namespace bertha {

inline constexpr int64_t kMaxLineBytes = int64_t{16} << 20;

/// The lines of a file that may be anything, from front to back.
class LineReader {
 public:
  /// `path` names the lines in sentences.
  LineReader(std::string path, std::unique_ptr<ByteStream> bytes);

  /// Gives the next line without its end, valid until the next call; false behind the last.
  /// Throws DamagedFileError naming the file and line of more than kMaxLineBytes.
  bool next(std::string_view& line);

  const std::string& path() const { return path_; }
  /// Of the line that was given last, from 1.
  int64_t number() const { return number_; }

 private:
  std::string path_;
  std::unique_ptr<ByteStream> bytes_;
  std::string buffer_;  // as it was read,
  size_t rest_ = 0;     // given out as far as here
  bool ended_ = false;
  int64_t number_ = 0;
};

}  // namespace bertha
