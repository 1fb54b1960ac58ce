#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "data/shard.h"

namespace bertha {

/// Sequences by number, from shards or from memory. For one thread at a time.
struct SequenceSource {
  int64_t size;        // sequences
  int64_t chunk_size;  // sequences that are read together; 1 where it does not matter
  std::function<Sequence(int64_t index)> read;
};

/// The sequences of a shard directory, with a reader of their own.
SequenceSource shard_source(const std::string& directory);

}  // namespace bertha
