#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bertha {

/// How often which token occurs, and with it what a model of masked tokens reaches that has learnt nothing else.
struct Unigram {
  int64_t tokens = 0;
  int64_t distinct = 0;            // ids that occur
  int32_t most_frequent = -1;      // an id; -1 where there is no token
  double most_frequent_share = 0;  // the accuracy of always answering with it
  double entropy = 0;              // in nats: the masked-LM loss of answering with the frequencies
};

/// Of `counts`, by token id, without the ids in `special`, which are never masked.
/// Source:  Shannon 1948, "A mathematical theory of communication" §6.
Unigram unigram_of(std::span<const int64_t> counts, std::span<const int32_t> special);

/// The entropy of a shard directory's tokens without those that begin and end a sequence. Shards do not say which token
/// stands for unknown words: it counts like any other. Reads every file once, for they are checked before they are
/// believed, in constant memory. Throws as ShardSet does.
double unigram_entropy_of(const std::string& shard_directory);

}  // namespace bertha
