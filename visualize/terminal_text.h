#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

enum class TerminalColors { kOff, kOn };

enum class Cut { kBeginning, kEnd };

/// A text made printable, `width` columns wide: with blanks behind, or with one of its ends cut.
std::string fitted(std::string_view text, int64_t width, Cut cut);

/// The bit of a dot among the eight of a braille pattern, which are two across and four down. A pattern is kBraille and
/// its dots' bits.
constexpr char32_t kBraille = 0x2800;
uint8_t braille_dot(int64_t across, int64_t down);

}  // namespace bertha
