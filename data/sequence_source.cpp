#include "data/sequence_source.h"

#include <utility>

namespace bertha {

SequenceSource shard_source(std::shared_ptr<ShardSet> shards) {
  const int64_t size = shards->size();
  const int64_t chunk_size = shards->chunk_size();
  return {size, chunk_size, [shards = std::move(shards)](int64_t index) { return shards->sequence(index); }};
}

}  // namespace bertha
