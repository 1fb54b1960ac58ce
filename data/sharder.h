#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/shard.h"
#include "data/tokenizer.h"

namespace bertha {

struct ShardOptions {
  std::vector<std::string> files;
  std::string directory;
  Objective objective = Objective::kMlm;
  int64_t sequence_length = 128;
  uint64_t seed = 1;
  int64_t memory_bytes = int64_t{512} << 20;
  int64_t jobs = 1;  // threads; fewer are used where memory_bytes has no room for them

  // Each rank makes every world_size-th shard of one directory; all wait for all in `barrier`.
  int64_t rank = 0;
  int64_t world_size = 1;
  std::function<void()> barrier = [] {};

  // How the text is cut, which the result depends on. A block is worked on as a whole, next-sentence negatives are
  // drawn within it, and a shard file is made of a fixed number of them.
  int64_t block_bytes = int64_t{1} << 20;
  int64_t blocks_per_shard = 16;
};

/// How far this rank is.
struct ShardProgress {
  int64_t blocks_done, blocks;  // of those that were not finished by an earlier run
  int64_t text_bytes_done;
  int64_t sequences, tokens;
};

/// What the finished directory holds.
struct ShardSummary {
  int64_t text_bytes, documents, sequences, tokens, random_pairs;
  int64_t shards;
  int64_t shards_kept;  // by this rank, finished by an earlier run
  int64_t shard_bytes;  // of the shard files
  int64_t unknown_tokens;
  uint64_t hash;  // ShardSet::hash
};

/// Text to shards, in bounded memory: the bytes written depend on the text, the tokenizer, the objective, the sequence
/// length and the seed, and on nothing else. After a kill the same call continues with the shards that are missing; a
/// finished shard file that was damaged or lost is made again.
/// Throws:  ConfigError for bad options, an empty corpus, or a single document where next sentences are wanted;
///          DamagedFileError for text that is not UTF-8; MismatchError where the directory holds the shards of other
///          text or options; Error naming the file where the disk is full.
ShardSummary shard_corpus(const ShardOptions& options, const Tokenizer& tokenizer,
                          const std::function<void(const ShardProgress&)>& progress);

}  // namespace bertha
