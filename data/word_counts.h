#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/word_splitter.h"

namespace bertha {

struct CountedWord {
  std::string word;
  uint64_t count = 0;
};

/// Sorted by the words' bytes.
struct WordCounts {
  std::vector<CountedWord> words;
  int64_t left_out = 0;  // distinct words that did not fit into memory
};

struct CountOptions {
  Casing casing = Casing::kUncased;
  size_t memory_bytes = size_t{1} << 30;  // a quarter for counting, the rest for the words and learning from them
  std::string scratch_directory = ".";    // where a file without a name grows when counting needs more
};

/// How often each word of text files occurs; words longer than WordPiece splits do not count.
/// Every thread counts in a table of its own. A full table is sorted and appended to a scratch file; in the end all
/// sorted runs are merged, some at a time where there is no room for all, so counts are exact whatever memory there is.
/// Only where the distinct words themselves do not fit are the rarest left out, all words of one count together. The
/// result depends neither on the number of threads nor on which thread read what. Throws ConfigError for files that
/// cannot be read or less than 1 MiB of memory, DamagedFileError naming file and byte for text that is not UTF-8, Error
/// where the scratch file cannot be written.
WordCounts count_words(const std::vector<std::string>& files, const CountOptions& options);

}  // namespace bertha
