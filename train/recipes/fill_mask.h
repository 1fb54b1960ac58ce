#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/wordpiece.h"
#include "nn/bert_for_pretraining.h"

namespace bertha {

/// A token that may stand at a mask, with its probability.
struct Candidate {
  int32_t id = 0;
  double score = 0;
};

/// The `top_k` most probable tokens for each [MASK] of an encoded text, best first; equal scores in order of ids.
/// Throws ConfigError where there is no mask, MismatchError where the text is longer than the model's positions.
std::vector<std::vector<Candidate>> fill_mask(const BertForPretraining& model, const Encoding& text, int32_t mask_id,
                                              int64_t top_k);

/// The probability that the second text of an encoded pair follows the first.
double next_sentence_probability(const BertForPretraining& model, const Encoding& pair);

}  // namespace bertha
