#include "visualize/terminal_text.h"

#include <algorithm>

#include "data/utf8.h"

namespace bertha {
namespace {

// C0, delete, C1; and what changes the direction of writing.
bool is_control(char32_t c) {
  const bool turns = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || turns;
}

}  // namespace

std::string printable(std::string_view text) {
  const std::string repaired = repaired_utf8(text);
  std::string result;
  for (std::string_view rest = repaired; !rest.empty();) {
    const CodePoint next = decode_utf8(rest);
    const auto bytes = static_cast<size_t>(std::max(1, next.bytes));
    result += is_control(next.value) ? "?" : rest.substr(0, bytes);
    rest.remove_prefix(bytes);
  }
  return result;
}

std::string fitted(std::string_view text, int64_t width) {
  std::string line = printable(text);
  int64_t length = count_code_points(line);
  if (length <= width) return line + std::string(static_cast<size_t>(width - length), ' ');
  for (; length >= width && !line.empty(); --length) line.erase(0, static_cast<size_t>(decode_utf8(line).bytes));
  return (width > 0 ? "…" : "") + line;
}

}  // namespace bertha
