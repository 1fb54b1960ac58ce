#include "visualize/token_kind.h"

#include <string>

#include "data/unicode.h"
#include "data/utf8.h"
#include "data/vocabulary.h"

namespace bertha {
namespace {

bool is_digit(char32_t code_point) {
  return pattern_class(code_point) == PatternClass::kNumber;
}

// Vowel signs and other spacing marks are parts of words; they stand among the scripts.
bool is_sign(char32_t code_point) {
  if (character_class(code_point) == CharacterClass::kPunctuation) return true;
  constexpr char32_t kScriptsBegin = 0x0300, kScriptsEnd = 0x2000, kReplacement = 0xFFFD;
  const bool among_scripts = code_point >= kScriptsBegin && code_point < kScriptsEnd;
  return pattern_class(code_point) == PatternClass::kOther && !among_scripts && code_point != kReplacement;
}

template <class Is>
bool holds_only(std::string_view text, Is&& is) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    if (bytes == 0 || !is(value)) return false;
    text.remove_prefix(static_cast<size_t>(bytes));
  }
  return true;
}

}  // namespace

std::string_view token_kind(const Tokenizer& tokenizer, int32_t id) {
  const std::string& token = tokenizer.token(id);
  if (tokenizer.is_special(id)) return "special";
  if (token.starts_with("[unused") && token.ends_with("]")) return "unused";
  const std::string decoded = tokenizer.decode(std::span(&id, 1));
  std::string_view text = decoded;
  if (text.starts_with(' ')) text.remove_prefix(1);
  const bool goes_on = tokenizer.is_continuation(id);
  if (goes_on && text.starts_with(kContinuationPrefix)) text.remove_prefix(kContinuationPrefix.size());
  if (holds_only(text, is_digit)) return "digits";
  if (holds_only(text, is_sign)) return "punctuation";
  return goes_on ? "piece" : "word";
}

}  // namespace bertha
