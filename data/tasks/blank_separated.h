#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bertha {

/// Blanks and tabs: what parts words.
inline constexpr std::string_view kBlanks = " \t\r\n\f\v";

/// The words of a line between blanks and tabs.
inline std::vector<std::string> blank_separated(std::string_view line) {
  std::vector<std::string> words;
  for (size_t begin = line.find_first_not_of(kBlanks); begin != line.npos;) {
    const size_t end = line.find_first_of(kBlanks, begin);
    words.emplace_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

}  // namespace bertha
