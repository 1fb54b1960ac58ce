#pragma once

#include <algorithm>
#include <string_view>

namespace bertha {

/// Nothing but blanks.
inline bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\f\v") == line.npos;
}

/// Calls f(line) for each line of a text, without its end.
template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    f(line);
  }
}

}  // namespace bertha
