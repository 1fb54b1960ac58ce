#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace bertha {

/// Text of a file as an error may show it: in quotes, short, on one line, without control characters.
inline std::string shown(std::string_view text) {
  constexpr size_t kMost = 120;  // names of tensors are longer than words
  size_t end = std::min(text.size(), kMost);
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  std::string result(text.substr(0, end));
  for (char& c : result)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '?';
  return "'" + result + (end < text.size() ? "...'" : "'");
}

}  // namespace bertha
