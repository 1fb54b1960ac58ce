#pragma once

#include <cstdint>
#include <span>

#include "data/tokenizer.h"

namespace bertha {

/// How often which token occurs, and with it what a model of masked tokens reaches that has learnt nothing else.
struct Unigram {
  int64_t tokens = 0;
  int64_t distinct = 0;            // ids that occur
  int32_t most_frequent = -1;      // an id; -1 where there is no token
  double most_frequent_share = 0;  // the accuracy of always answering with it
  double entropy = 0;              // in nats: the masked-LM loss of answering with the frequencies
};

/// Of `counts`, by token id, without the tokenizer's special ones, which are never masked.
/// Source:  Shannon 1948, "A mathematical theory of communication" §6.
Unigram unigram_of(std::span<const int64_t> counts, const Tokenizer& tokenizer);

}  // namespace bertha
