#pragma once

#include <memory>
#include <string>

#include "data/masking.h"
#include "data/shard_manifest.h"
#include "data/tokenizer.h"

namespace bertha {

/// The tokenizer that shards were made with, and where it was found.
struct ShardTokenizer {
  std::string path;
  std::unique_ptr<Tokenizer> tokenizer;  // null where there is none
};

/// `given`, a vocabulary or model directory, or else what lies beside the shards or above them in a run directory.
/// Throws MismatchError where `given` is not what the shards were made with, and what reading it throws; what is only
/// found and is not, or cannot be read, is passed over.
ShardTokenizer find_shard_tokenizer(const std::string& directory, const ShardSettings& settings,
                                    const std::string& given);

/// How the run that the shards belong to masks them; else what is usual, with the seed that they were made with.
struct ShardMasking {
  MaskingOptions options;
  uint64_t seed = 0;
};
ShardMasking shard_masking(const std::string& directory, const ShardSettings& settings);

}  // namespace bertha
