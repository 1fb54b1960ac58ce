#pragma once

#include <span>
#include <string_view>

namespace bertha {

/// The name that `unknown` may be a misspelling of: the nearest by edit distance (Levenshtein 1966), where no more than
/// a third of it, or two characters, differ; empty where none is so near.
std::string_view nearest_name(std::string_view unknown, std::span<const std::string_view> names);

}  // namespace bertha
