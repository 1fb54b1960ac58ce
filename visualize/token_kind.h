#pragma once

#include <cstdint>
#include <string_view>

#include "data/tokenizer.h"

namespace bertha {

/// What a token is: `special`, `unused` (a place kept free in the vocabulary), `digits`, `punctuation` (and other
/// signs), `piece` (goes on with a word) or `word`; the first that is true.
std::string_view token_kind(const Tokenizer& tokenizer, int32_t id);

}  // namespace bertha
