#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// A text on one line that cannot steer a terminal: `?` for control characters of every kind, U+FFFD for what is not
/// UTF-8.
std::string printable(std::string_view text);

/// The same, blanks behind, or with its beginning cut: so many characters wide.
std::string fitted(std::string_view text, int64_t width);

}  // namespace bertha
