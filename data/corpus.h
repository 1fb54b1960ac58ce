#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/byte_stream.h"
#include "data/lines.h"

namespace bertha {

/// A stretch of the corpus that is made into sequences on its own.
struct CorpusBlock {
  std::string text;                 // UTF-8; the end of a file is a blank line
  bool continues_document = false;  // the first line belongs to the document that the block before ended in
};

/// The plain text of files (see open_text), one after the other, with a blank line between them, as blocks that depend
/// on nothing but the text and `block_bytes`.
///
/// Block k > 0 begins in the window [k, k + 1) * block_bytes: after the window's first blank line; else, in a long
/// document, after its first line; else, in a long line, after its first blank; else at its first character. No block
/// is longer than twice block_bytes, whatever the text.
class Corpus {
 public:
  /// Reads the files that are not stored plainly once, to learn how much text they hold. Throws what text_bytes throws,
  /// and ConfigError where all files together are empty.
  Corpus(std::vector<std::string> files, int64_t block_bytes);

  int64_t bytes() const { return bytes_; }
  int64_t blocks() const { return blocks_; }

 private:
  friend class CorpusReader;

  std::vector<std::string> files_;
  std::vector<int64_t> begins_;  // by file, in a text where two line ends follow each file; last: the end of it all
  int64_t bytes_ = 0;
  int64_t block_bytes_;
  int64_t blocks_;
};

/// One pass over a corpus, from front to back.
class CorpusReader {
 public:
  /// `corpus` must outlive it.
  explicit CorpusReader(const Corpus& corpus) : corpus_(corpus) {}

  /// Reads a block behind those read before; a block's text may reuse the memory it has.
  /// Throws DamagedFileError naming file and byte (of its plain text) where that is not UTF-8, and Error where a file
  /// became shorter.
  void read(int64_t index, CorpusBlock& block);

 private:
  void move_window(int64_t begin, int64_t end);
  void read_file(size_t file, int64_t offset, std::span<char> out);
  void check_valid(std::string_view text, int64_t begin) const;

  const Corpus& corpus_;
  std::string window_;        // the text that was read last
  int64_t window_begin_ = 0;  // where it lies
  std::unique_ptr<ByteStream> stream_;
  size_t stream_file_ = 0;
  int64_t stream_offset_ = 0;
};

/// Reads on only until a second document is found.
bool has_several_documents(const Corpus& corpus);

/// A line without its end.
struct TextLine {
  std::string_view text;
  bool starts_document;
};

/// Calls f(TextLine) for each line that is not blank.
template <class F>
void for_each_line(const CorpusBlock& block, F&& f) {
  bool starts_document = !block.continues_document;
  for_each_line(block.text, [&](std::string_view line) {
    if (is_blank(line)) {
      starts_document = true;
    } else {
      f(TextLine{line, starts_document});
      starts_document = false;
    }
  });
}

}  // namespace bertha
