#include "data/sequence_source.h"

#include <memory>

namespace bertha {

SequenceSource shard_source(const std::string& directory) {
  const auto shards = std::make_shared<ShardSet>(directory);
  return {shards->size(), shards->chunk_size(), [shards](int64_t index) { return shards->sequence(index); }};
}

}  // namespace bertha
