#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "data/masking.h"
#include "data/packed_batch.h"
#include "data/premasked_set.h"
#include "data/shard.h"

namespace bertha {

/// Sequences by number, from shards or from memory. For one thread at a time.
struct SequenceSource {
  int64_t size;        // sequences
  int64_t chunk_size;  // sequences that are read together; 1 where it does not matter
  std::function<Sequence(int64_t index)> read;
};

/// What is trained on, by number: masked sequences, or examples of a task. For one thread at a time.
struct SampleSource {
  int64_t size;        // samples
  int64_t chunk_size;  // samples that are read together; 1 where it does not matter
  /// Lays a sample with its labels at the end of a batch.
  std::function<void(PackedBatch& batch, int64_t index, const RandomStream& masks)> append;
};

/// The sequences of a shard directory. Nobody else may read from `shards` while the source is in use.
SequenceSource shard_source(std::shared_ptr<ShardSet> shards);

/// Sequences, masked whenever they are read.
SampleSource masked(SequenceSource sequences, Masker masker);

/// Samples with the masks that they are stored with, the same in every epoch. Nobody else may read from `set` while the
/// source is in use.
SampleSource premasked_source(std::shared_ptr<PremaskedSet> set);

}  // namespace bertha
