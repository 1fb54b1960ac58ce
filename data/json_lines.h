#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "data/byte_stream.h"
#include "data/line_reader.h"

namespace bertha {

/// The most memory that a JsonLines takes: its text before, and of the longest line the line, the parser's copy and the
/// text, each with room to grow.
inline constexpr int64_t kJsonLinesBytes = 8 * kMaxLineBytes;

/// The documents of JSON lines as plain text. Each line is an object whose string `text` is a document: its lines that
/// are not blank come out, and a blank line behind them. Blank lines between objects are passed over.
/// Throws DamagedFileError naming the file and line of anything else, or of more than kMaxLineBytes.
class JsonLines : public ByteStream {
 public:
  /// `path` names the lines in sentences.
  JsonLines(std::string path, std::unique_ptr<ByteStream> lines);

  size_t read(std::span<char> out) override;

 private:
  bool next_document();

  LineReader lines_;
  std::string document_;  // plain text,
  size_t given_ = 0;      // handed out as far as here
};

}  // namespace bertha
