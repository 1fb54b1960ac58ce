#pragma once

#include <span>
#include <vector>

#include "data/encoding.h"
#include "nn/bert_for_task.h"

namespace bertha {

/// Which vectors stand for a text: the mean of its tokens' last hidden states, the first token's, or all of them.
enum class Pooling { kMean, kCls, kTokens };

/// Of each text (rows, H) the vectors, float; one row but with kTokens. Special tokens count, as in sentence
/// transformers (Reimers and Gurevych 2019, arXiv:1908.10084). Throws MismatchError where a text is longer than the
/// model's positions.
std::vector<Tensor> embed(const BertForTask& model, std::span<const Encoding> texts, Pooling pooling);

/// The tokens of a text that lie in some of its code points; none where they were cut off.
std::vector<int32_t> tokens_within(const Encoding& text, TextRange place);

/// The mean of the last hidden states of each text's tokens `words[i]`, one or more: what the model makes of a word
/// where it stands. (1, H) each. Throws MismatchError where a text is longer than the model's positions.
std::vector<Tensor> embed_words(const BertForTask& model, std::span<const Encoding> texts,
                                std::span<const std::vector<int32_t>> words);

/// The cosine of the angle between two vectors; 0 where one is zero.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace bertha
