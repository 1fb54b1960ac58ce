#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// A text on one line that cannot steer a terminal: control characters, those that change the direction of writing, and
/// what is not UTF-8 become '?'.
std::string printable(std::string_view text);

/// Columns that a text in UTF-8 takes in a terminal.
int64_t display_width(std::string_view text);

}  // namespace bertha
