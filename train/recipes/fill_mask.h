#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/encoding.h"
#include "nn/bert_for_pretraining.h"

namespace bertha {

/// A token that may stand at a mask, with its probability.
struct Candidate {
  int32_t id = 0;
  double score = 0;
};

/// The `top_k` most probable tokens by their logits (V), best first; equal scores in order of ids.
std::vector<Candidate> best_candidates(std::span<const float> logits, int64_t top_k);

/// For each text and each mask in it its best candidates. Throws MismatchError where a text is longer than the model's
/// positions.
std::vector<std::vector<std::vector<Candidate>>> fill_masks(const BertForPretraining& model,
                                                            std::span<const Encoding> texts, int32_t mask_id,
                                                            int64_t top_k);

/// Of each encoded pair the probability that the second text follows the first.
std::vector<double> next_sentence_probabilities(const BertForPretraining& model, std::span<const Encoding> pairs);

}  // namespace bertha
