#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "autograd/tensor.h"

namespace bertha {

/// A picture in characters.
struct CharacterSize {
  int64_t columns = 0, lines = 0;
};

/// A map (P, 2) float as dots of Braille patterns, eight a character, with those `names` (P) written on it for which
/// there is room; `first` (P) is the order in which they ask for it. Lines end with '\n'.
std::string braille_map(const Tensor& map, std::span<const std::string> names, std::span<const int32_t> first,
                        CharacterSize size);

}  // namespace bertha
