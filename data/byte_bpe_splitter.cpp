#include "data/byte_bpe_splitter.h"

#include "data/unicode.h"
#include "data/utf8.h"

namespace bertha {
namespace {

constexpr std::string_view kContractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

/// The character of a text at an offset before its end.
struct Character {
  PatternClass kind;
  size_t bytes;
};

Character character_at(std::string_view text, size_t at) {
  const CodePoint next = decode_utf8(text.substr(at, 4));
  return {pattern_class(next.value), static_cast<size_t>(next.bytes)};
}

/// Where the characters of one kind end that begin at an offset; `last` is where the last of them begins.
size_t end_of_run(std::string_view text, size_t at, PatternClass kind, size_t& last) {
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (next.kind != kind) break;
    last = at;
    at += next.bytes;
  }
  return at;
}

}  // namespace

std::string_view first_word(std::string_view text) {
  for (const std::string_view contraction : kContractions) {
    if (text.starts_with(contraction)) return text.substr(0, contraction.size());
  }
  if (text.empty()) return text;
  size_t last = 0;
  const bool blank_first = text[0] == ' ' && text.size() > 1 && character_at(text, 1).kind != PatternClass::kBlank;
  const size_t begin = blank_first ? 1 : 0;
  const PatternClass kind = character_at(text, begin).kind;
  const size_t end = end_of_run(text, begin, kind, last);
  // The last of several blanks goes with the word behind them.
  const bool leaves_one = kind == PatternClass::kBlank && end < text.size() && last > 0;
  return text.substr(0, leaves_one ? last : end);
}

}  // namespace bertha
