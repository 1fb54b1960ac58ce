#include "data/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "data/utf8.h"

namespace bertha {
namespace {

struct Range {
  char32_t first, last;
};

// Marks, punctuation and format characters younger than Unicode 8.0, with neighbours whose class is kText anyway.
constexpr Range kYoungerThanReference[] = {
    {0x61D, 0x61D},     {0x7FD, 0x7FD},     {0x890, 0x8E2},     {0x9FD, 0x9FE},     {0xA76, 0xA76},
    {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},     {0xC77, 0xC77},
    {0xC84, 0xC84},     {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},     {0xEBA, 0xEBA},
    {0xECE, 0xECE},     {0x1715, 0x1715},   {0x180F, 0x180F},   {0x1885, 0x1886},   {0x1ABF, 0x1ACE},
    {0x1B7D, 0x1B7E},   {0x1DF6, 0x1DFB},   {0x2E43, 0x2E4F},   {0x2E52, 0x2E5D},   {0xA82C, 0xA82C},
    {0xA8C5, 0xA8C5},   {0xA8FF, 0xA8FF},   {0xA9BD, 0xA9BD},   {0x10D24, 0x10D27}, {0x10EAB, 0x10F89},
    {0x11070, 0x11074}, {0x110C2, 0x110CD}, {0x111CF, 0x111CF}, {0x1123E, 0x11241}, {0x1133B, 0x1133B},
    {0x11438, 0x1145E}, {0x11660, 0x1166C}, {0x116B9, 0x116B9}, {0x1182F, 0x11FFF}, {0x12FF1, 0x13455},
    {0x16E97, 0x16F4F}, {0x16FE2, 0x16FF1}, {0x1CF00, 0x1CF46}, {0x1E000, 0x1E4EF}, {0x1E944, 0x1E95F},
};

// Those of them whose combining class the reference does know, from Unicode 9.0.
constexpr Range kCombiningInReference[] = {
    {0x8D4, 0x8E1}, {0x1DFB, 0x1DFB}, {0x11442, 0x11446}, {0x11C3F, 0x11C3F}, {0x1E000, 0x1E02A}, {0x1E944, 0x1E94A},
};

// Hugging Face tokenizers starts the sixth block at U+2B920, not at U+2B820 as BERT's published code does.
constexpr Range kIdeographs[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

struct Shift {
  char32_t first, last;
  int distance;
};

// Lowercase mappings younger than utf8proc's tables.
constexpr Shift kYoungLowercase[] = {
    {0x1C89, 0x1C89, 1},      {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
    {0xA7CC, 0xA7CC, 1},      {0xA7CE, 0xA7CE, 1},
    {0xA7D2, 0xA7D2, 1},      {0xA7D4, 0xA7D4, 1},
    {0xA7DA, 0xA7DA, 1},      {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
    {0x10D50, 0x10D65, 0x20}, {0x16EA0, 0x16EB8, 0x1B},
};

// Letters and numbers younger than utf8proc's tables, of Unicode 15.1 and 16.
constexpr Range kYoungLetters[] = {{0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
                                   {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
                                   {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
                                   {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
                                   {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
                                   {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}};
constexpr Range kYoungNumbers[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x16130, 0x16139},
                                   {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA}};

// Cased, and of other categories than letters: ordinal indicators, Roman numerals, letters in circles and boxes.
constexpr Range kCasedSymbols[] = {
    {0xAA, 0xAA},       {0xBA, 0xBA},       {0x2160, 0x217F},   {0x24B6, 0x24E9},
    {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189},
};

// Case-ignorable, and of other categories than marks, modifiers and format characters: what may stand within a word.
constexpr Range kWordJoiners[] = {
    {0x27, 0x27},     {0x2E, 0x2E},     {0x3A, 0x3A},     {0xB7, 0xB7},     {0x387, 0x387},   {0x55F, 0x55F},
    {0x5F4, 0x5F4},   {0x2018, 0x2019}, {0x2024, 0x2024}, {0x2027, 0x2027}, {0xFE13, 0xFE13}, {0xFE52, 0xFE52},
    {0xFE55, 0xFE55}, {0xFF07, 0xFF07}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1A},
};

constexpr char32_t kCapitalSigma = 0x3A3, kSmallSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalDottedI = 0x130, kCombiningDot = 0x307;

/// The range of a sorted table that holds the code point, or null.
template <class Table>
auto find_range(const Table& table, char32_t code_point) {
  const auto after = [](char32_t value, const auto& range) { return value < range.first; };
  const auto next = std::upper_bound(std::begin(table), std::end(table), code_point, after);
  if (next == std::begin(table) || code_point > std::prev(next)->last) return decltype(&*next){nullptr};
  return &*std::prev(next);
}

const utf8proc_property_t& property(char32_t code_point) {
  return *utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
}

CharacterClass class_of_category(int category) {
  switch (category) {
    case UTF8PROC_CATEGORY_MN:
      return CharacterClass::kMark;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return CharacterClass::kPunctuation;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return CharacterClass::kBlank;
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
      return CharacterClass::kControl;
    default:
      return CharacterClass::kText;
  }
}

bool is_ascii_letter(char32_t c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_ascii_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

CharacterClass ascii_class(char32_t c) {
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return CharacterClass::kBlank;
  if (c < ' ' || c == 0x7F) return CharacterClass::kControl;
  return is_ascii_letter(c) || is_ascii_digit(c) ? CharacterClass::kText : CharacterClass::kPunctuation;
}

bool is_cased(char32_t code_point) {
  switch (property(code_point).category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      return find_range(kCasedSymbols, code_point) != nullptr;
  }
}

bool is_case_ignorable(char32_t code_point) {
  switch (property(code_point).category) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return find_range(kWordJoiners, code_point) != nullptr;
  }
}

/// Whether a cased letter comes next, behind nothing but case-ignorable characters.
bool goes_on_cased(std::string_view text) {
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    if (!is_case_ignorable(next.value)) return is_cased(next.value);
    text.remove_prefix(static_cast<size_t>(next.bytes));
  }
  return false;
}

}  // namespace

CharacterClass character_class(char32_t code_point) {
  if (code_point < 0x80) return ascii_class(code_point);
  switch (code_point) {  // in other categories since Unicode 8.0
    case 0x1734:
      return CharacterClass::kMark;
    case 0x166D:
    case 0x111C9:
      return CharacterClass::kPunctuation;
    case 0xFFFD:  // the replacement of bytes that were lost before
      return CharacterClass::kControl;
  }
  if (find_range(kIdeographs, code_point)) return CharacterClass::kIdeograph;
  const CharacterClass result = class_of_category(property(code_point).category);
  if (result == CharacterClass::kText || result == CharacterClass::kBlank) return result;
  return find_range(kYoungerThanReference, code_point) ? CharacterClass::kText : result;
}

char32_t to_lower(char32_t code_point) {
  const auto* shift = find_range(kYoungLowercase, code_point);
  if (shift) return static_cast<char32_t>(static_cast<int>(code_point) + shift->distance);
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point)));
}

std::string lowercase(std::string_view text) {
  check_utf8(text, "lowercase", 0);
  std::string result;
  bool inside_word = false;  // a cased letter came before, and nothing but case-ignorable characters since
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    text.remove_prefix(static_cast<size_t>(next.bytes));
    if (next.value == kCapitalSigma) {
      append_utf8(inside_word && !goes_on_cased(text) ? kFinalSigma : kSmallSigma, result);
    } else if (next.value == kCapitalDottedI) {
      append_utf8(U'i', result);
      append_utf8(kCombiningDot, result);
    } else {
      append_utf8(to_lower(next.value), result);
    }
    if (!is_case_ignorable(next.value)) inside_word = is_cased(next.value);
  }
  return result;
}

int combining_class(char32_t code_point) {
  const int result = property(code_point).combining_class;
  if (result == 0 || find_range(kCombiningInReference, code_point)) return result;
  return find_range(kYoungerThanReference, code_point) ? 0 : result;
}

int display_width(char32_t code_point) {
  return utf8proc_charwidth(static_cast<utf8proc_int32_t>(code_point));
}

std::span<const char32_t> decompose(char32_t code_point, std::array<char32_t, 4>& buffer) {
  utf8proc_int32_t parts[4];
  int boundary_class = 0;
  const utf8proc_ssize_t size =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), parts, 4, UTF8PROC_DECOMPOSE, &boundary_class);
  buffer[0] = code_point;
  if (size <= 0 || find_range(kYoungerThanReference, code_point)) return {buffer.data(), 1};
  std::copy_n(parts, size, buffer.begin());
  return {buffer.data(), static_cast<size_t>(size)};
}

PatternClass pattern_class(char32_t code_point) {
  if (code_point < 0x80) {
    if (is_ascii_letter(code_point)) return PatternClass::kLetter;
    if (is_ascii_digit(code_point)) return PatternClass::kNumber;
    const bool blank = code_point == ' ' || (code_point >= '\t' && code_point <= '\r');
    return blank ? PatternClass::kBlank : PatternClass::kOther;
  }
  switch (property(code_point).category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return PatternClass::kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return PatternClass::kNumber;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return PatternClass::kBlank;
    default:
      if (find_range(kYoungLetters, code_point)) return PatternClass::kLetter;
      if (find_range(kYoungNumbers, code_point)) return PatternClass::kNumber;
      return code_point == 0x85 ? PatternClass::kBlank : PatternClass::kOther;
  }
}

}  // namespace bertha
