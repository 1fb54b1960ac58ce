#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/hdf5_table.h"
#include "data/shard.h"
#include "data/shard_manifest.h"

namespace bertha {

/// Collects the sequences of one shard, compressed in memory, and writes its file.
class ShardWriter {
 public:
  explicit ShardWriter(const ShardSettings& settings);

  void append(const Sequence& sequence);

  /// Writes `directory`/shard-N.h5, then the manifest of it alone beside it: the shard counts as finished once that is
  /// there. It was made from `documents` documents and text of `text_checksum`.
  void finish(const std::string& directory, int64_t shard, int64_t documents, uint64_t text_checksum);

 private:
  void write_chunk();

  ShardSettings settings_;
  Hdf5Image image_;
  std::vector<int32_t> ids_;  // the rows of the chunk being filled, padded
  std::vector<int32_t> lengths_, second_begins_, labels_;
  std::vector<uint64_t> chunk_checksums_;
  std::vector<int64_t> token_counts_;
  ShardRecord record_;
};

/// What a chunk's entry in `chunk_checksums` must be; the two last are empty for objective mlm.
uint64_t chunk_checksum(std::span<const int32_t> ids, std::span<const int32_t> lengths,
                        std::span<const int32_t> second_begins, std::span<const int32_t> labels);

}  // namespace bertha
