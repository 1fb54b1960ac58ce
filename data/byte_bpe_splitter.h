#pragma once

#include <string_view>

namespace bertha {

/// The first word of a text that is UTF-8 and begins where a word does; empty only if the text is. It is what GPT-2's
/// pattern matches, so a word has the blank before it:
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", published code.
std::string_view first_word(std::string_view text);

}  // namespace bertha
