#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace bertha {

/// What BERT's tokenisation tells characters apart by.
enum class CharacterClass : unsigned char {
  kText,         // part of a word
  kBlank,        // ends a word
  kPunctuation,  // a word of its own; all of ASCII that is neither letter, digit, blank nor control
  kIdeograph,    // a word of its own, never punctuation
  kMark,         // non-spacing mark: an accent
  kControl,      // left out
};

/// This and what follows is as Hugging Face tokenizers has it for BERT, whose tables (but for lowercase) stop at
/// Unicode 8.0 or 9.0: younger marks, punctuation and format characters are kText, combine with nothing and do not
/// decompose.
CharacterClass character_class(char32_t code_point);

/// Simple lowercase mapping of one code point (Unicode 17).
char32_t to_lower(char32_t code_point);

/// Full lowercase mapping of a text, with a capital sigma at the end of a word as final sigma; the same as Python's
/// str.lower. Throws DamagedFileError naming the first byte that is not UTF-8.
/// Source: The Unicode Standard, section 3.13, R2 and Final_Sigma.
std::string lowercase(std::string_view text);

/// Canonical combining class; 0 for a character that starts a combining sequence.
int combining_class(char32_t code_point);

/// Full canonical decomposition of one code point, written to `buffer`; itself where it has none.
std::span<const char32_t> decompose(char32_t code_point, std::array<char32_t, 4>& buffer);

/// Columns that a character takes in a terminal: 0, 1 or 2.
int display_width(char32_t code_point);

/// What byte-level BPE's pattern tells characters apart by.
enum class PatternClass : unsigned char {
  kLetter,  // \p{L}
  kNumber,  // \p{N}
  kBlank,   // \s
  kOther,
};

PatternClass pattern_class(char32_t code_point);

}  // namespace bertha
