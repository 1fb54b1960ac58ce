#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/byte_stream.h"

namespace bertha {

/// Part of a file's plain text, for work that several threads share.
struct TextBlock {
  int64_t number = -1;  // counts the blocks of all files
  std::string path;
  int64_t offset = 0;  // of its first byte in the file's text
  std::string text;
};

/// The plain text of files (see open_text) in blocks that end behind a newline or space or with the file, so that no
/// word and no UTF-8 sequence is ever cut. Where a block ends depends on the text and `block_bytes` alone. Thread-safe.
class TextBlocks {
 public:
  /// Throws ConfigError for a file that is not there, is a directory or may not be read.
  TextBlocks(std::vector<std::string> files, size_t block_bytes);

  /// The next block in the order of the files; false at the end or after `stop`.
  /// Throws what open_text and its stream throw, and DamagedFileError where no blank comes for 64 MiB.
  bool next(TextBlock& block);

  /// No thread gets a further block.
  void stop();

 private:
  void open_next_file();
  void fill(std::string& text);

  std::vector<std::string> files_;
  size_t block_bytes_;
  std::mutex mutex_;
  bool stopped_ = false;
  size_t next_file_ = 0;
  int64_t next_number_ = 0;
  std::unique_ptr<ByteStream> text_;
  int64_t offset_ = 0;  // of `rest_` in it
  std::string rest_;    // read, but behind the end of the last block
};

}  // namespace bertha
