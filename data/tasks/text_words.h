#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tasks/example.h"
#include "data/word_splitter.h"

namespace bertha {

/// A word of a text and where it stands.
struct TextWord {
  std::string word;
  CodePoints place;
};

/// The words of a text, split at blanks and punctuation as BERT's tokenisation does; punctuation marks are words.
/// Throws DamagedFileError naming the first byte that is not UTF-8.
std::vector<TextWord> words_of(std::string_view text, Casing casing);

/// Where the words of `wanted` first stand one after another in a text; uncased, without regard to case and accents.
/// Throws as words_of does.
std::optional<CodePoints> find_words(std::string_view text, std::string_view wanted, Casing casing);

}  // namespace bertha
