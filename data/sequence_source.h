#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "data/shard.h"

namespace bertha {

/// Sequences by number, from shards or from memory. For one thread at a time.
struct SequenceSource {
  int64_t size;        // sequences
  int64_t chunk_size;  // sequences that are read together; 1 where it does not matter
  std::function<Sequence(int64_t index)> read;
};

/// The sequences of a shard directory. Nobody else may read from `shards` while the source is in use.
SequenceSource shard_source(std::shared_ptr<ShardSet> shards);

}  // namespace bertha
