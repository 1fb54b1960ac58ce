#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// A stretch of the corpus that is made into sequences on its own.
struct CorpusBlock {
  std::string text;                 // UTF-8; the end of a file is a blank line
  bool continues_document = false;  // the first line belongs to the document that the block before ended in
};

/// Text files, one after the other: a sentence or paragraph a line, a blank line or a file's end between documents.
///
/// The text is cut into blocks that depend on nothing but the text and `block_bytes`, and each block is found without
/// reading the ones before it. Block k > 0 begins in the window [k, k + 1) * block_bytes: after the window's first
/// blank line; else, in a long document, after its first line; else, in a long line, after its first blank; else at its
/// first character. No block is longer than twice block_bytes, whatever the text.
///
/// Safe to share between threads.
class Corpus {
 public:
  /// Throws ConfigError naming a file that cannot be opened, and where all files together are empty.
  Corpus(std::vector<std::string> files, int64_t block_bytes);

  int64_t bytes() const { return bytes_; }
  int64_t blocks() const { return blocks_; }

  /// Throws DamagedFileError naming file and byte offset where the text is not UTF-8.
  CorpusBlock block(int64_t index) const;

  /// Reads on only until a second document is found.
  bool has_several_documents() const;

 private:
  std::string read(int64_t begin, int64_t end) const;
  void check_valid(std::string_view text, int64_t begin) const;

  std::vector<std::string> files_;
  std::vector<int64_t> begins_;  // by file, in a text where two line ends follow each file; last: the end of it all
  int64_t bytes_ = 0;
  int64_t block_bytes_;
  int64_t blocks_;
};

/// A line without its end.
struct TextLine {
  std::string_view text;
  bool starts_document;
};

/// Nothing but blanks.
bool is_blank(std::string_view line);

/// Calls f(TextLine) for each line that is not blank.
template <class F>
void for_each_line(const CorpusBlock& block, F&& f) {
  std::string_view rest = block.text;
  bool starts_document = !block.continues_document;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (is_blank(line)) {
      starts_document = true;
    } else {
      f(TextLine{line, starts_document});
      starts_document = false;
    }
  }
}

}  // namespace bertha
