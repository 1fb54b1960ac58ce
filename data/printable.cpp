#include "data/printable.h"

#include "data/unicode.h"
#include "data/utf8.h"

namespace bertha {
namespace {

bool is_harmless(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool turns = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
  const bool breaks = c == 0x2028 || c == 0x2029;
  return !control && !turns && !breaks;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    const size_t taken = bytes > 0 ? static_cast<size_t>(bytes) : 1;
    result += bytes > 0 && is_harmless(value) ? text.substr(0, taken) : std::string_view("?");
    text.remove_prefix(taken);
  }
  return result;
}

int64_t display_width(std::string_view text) {
  int64_t columns = 0;
  while (!text.empty()) {
    const auto [value, bytes] = decode_utf8(text);
    columns += display_width(value);
    text.remove_prefix(static_cast<size_t>(bytes));
  }
  return columns;
}

}  // namespace bertha
