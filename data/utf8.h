#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// The code point at the front of a text and how many bytes it takes: 0 where they are not UTF-8 (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
struct CodePoint {
  char32_t value = 0;
  int bytes = 0;
};

inline CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const auto bits = [&](size_t i) { return static_cast<char32_t>(byte(i) & 0x3F); };
  if (text.empty()) return {};
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) {
    if (lead < 0xC2 || text.size() < 2 || !continues(1)) return {};
    return {(lead & 0x1F) << 6 | bits(1), 2};
  }
  if (lead < 0xF0) {
    if (text.size() < 3 || !continues(1) || !continues(2)) return {};
    const char32_t value = (lead & 0x0F) << 12 | bits(1) << 6 | bits(2);
    return value < 0x800 || (value >= 0xD800 && value < 0xE000) ? CodePoint{} : CodePoint{value, 3};
  }
  if (lead > 0xF4 || text.size() < 4 || !continues(1) || !continues(2) || !continues(3)) return {};
  const char32_t value = (lead & 0x07) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3);
  return value < 0x10000 || value > 0x10FFFF ? CodePoint{} : CodePoint{value, 4};
}

void append_utf8(char32_t code_point, std::string& text);

/// Code points of a text that is UTF-8.
int64_t count_code_points(std::string_view text);

/// Where the first byte is that does not belong to UTF-8; npos if there is none.
size_t find_invalid_utf8(std::string_view text);

/// The text with U+FFFD for what is not UTF-8: one for each byte that can begin no character, one for a character that
/// breaks off. Source: the Unicode Standard 15.0, §3.9, "U+FFFD Substitution of Maximal Subparts".
std::string repaired_utf8(std::string_view text);

/// Throws DamagedFileError naming `where` and the byte, counted from `first_byte`.
void check_utf8(std::string_view text, std::string_view where, int64_t first_byte);

/// The sentence for a byte that is not UTF-8.
[[noreturn]] void fail_utf8(std::string_view where, int64_t position, char byte);

}  // namespace bertha
