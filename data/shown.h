#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "data/printable.h"

namespace bertha {

/// Text of a file as an error may show it: printable, in quotes and short.
inline std::string shown(std::string_view text) {
  constexpr size_t kMost = 120;  // names of tensors are longer than words
  size_t end = std::min(text.size(), kMost);
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  std::string result(1, '\'');
  result.append(printable(text.substr(0, end))).append(end < text.size() ? "...'" : "'");
  return result;
}

}  // namespace bertha
