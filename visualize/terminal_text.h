#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// A printable text with blanks behind, or with its beginning cut: so many characters wide.
std::string fitted(std::string_view text, int64_t width);

}  // namespace bertha
