#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/tasks/table.h"

namespace bertha {

/// Words and a tag for each: `O`, `P-TYPE` where P is B, I, E or S (IOB1, IOB2, IOBES), or any other name, such as a
/// part of speech.
struct TaggedSentence {
  std::vector<std::string> words = {}, tags = {};
  int64_t line = 0;       // of the file, from 1, on which it begins
  bool by_lines = false;  // each word has a line of its own

  int64_t line_of(size_t word) const { return by_lines ? line + static_cast<int64_t>(word) : line; }
};

/// Reads columns parted by blanks or tabs, one line a word: the word first, its tag last. A blank line ends a sentence;
/// lines that begin with `-DOCSTART-` do too and are left out. `.gz` is decompressed.
/// Throws what open_bytes throws; DamagedFileError naming file and line for what is not UTF-8 or has a zero byte, a
/// line of one column, and a file without sentences.
/// Source: Tjong Kim Sang and De Meulder 2003 (arXiv:cs/0306050) §2.2.
std::vector<TaggedSentence> read_conll(const std::string& path);

/// A sentence for every row of a table, from a column of words and one of tags (see Table::list).
/// Throws ConfigError for a missing column, DamagedFileError naming file and line where words and tags differ in number
/// or a tag is empty.
std::vector<TaggedSentence> tagged_sentences(const Table& table, std::string_view words_column,
                                             std::string_view tags_column);

}  // namespace bertha
