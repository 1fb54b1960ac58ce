#include "data/sequence_source.h"

#include <utility>

namespace bertha {

SequenceSource shard_source(std::shared_ptr<ShardSet> shards) {
  const int64_t size = shards->size();
  const int64_t chunk_size = shards->chunk_size();
  return {size, chunk_size, [shards = std::move(shards)](int64_t index) { return shards->sequence(index); }};
}

SampleSource masked(SequenceSource sequences, Masker masker) {
  const int64_t size = sequences.size;
  const int64_t chunk_size = sequences.chunk_size;
  return {size, chunk_size,
          [sequences = std::move(sequences), masker = std::move(masker)](PackedBatch& batch, int64_t index,
                                                                         const RandomStream& masks) {
            append(batch, masker(sequences.read(index), masks), index);
          }};
}

SampleSource premasked_source(std::shared_ptr<PremaskedSet> set) {
  const int64_t size = set->size();
  const int64_t chunk_size = set->chunk_size();
  return {size, chunk_size, [set = std::move(set)](PackedBatch& batch, int64_t index, const RandomStream&) {
            append(batch, set->sample(index), index);
          }};
}

}  // namespace bertha
