#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/tasks/example.h"

namespace bertha {

/// A word of a text and where it stands.
struct TextWord {
  std::string word;
  CodePoints place;
};

/// The words of a text, split at blanks and punctuation as BERT's tokenisation does; punctuation marks are words.
/// Throws DamagedFileError naming the first byte that is not UTF-8.
std::vector<TextWord> words_of(std::string_view text);

}  // namespace bertha
