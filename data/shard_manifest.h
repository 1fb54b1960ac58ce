#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/hdf5_table.h"
#include "data/shard.h"

namespace bertha {

/// All that the bytes of shards depend on besides the text itself.
struct ShardSettings {
  Objective objective = Objective::kMlm;
  int64_t sequence_length = 0;
  uint64_t seed = 0;
  uint64_t vocabulary_hash = 0;
  int64_t vocabulary_size = 0;
  bool lowercase = true;
  int64_t text_bytes = 0;  // of the whole corpus
  int64_t block_bytes = 0;
  int64_t blocks_per_shard = 0;
  int64_t shards = 0;
};

/// Where the chunks of a data set lie in its file, in the order of their rows, and the checksum of those bytes: it
/// tells which data set is damaged.
struct DataSetRecord {
  std::string name;
  std::vector<Extent> chunks;
  uint64_t checksum = 0;

  bool operator==(const DataSetRecord&) const = default;
};

/// One finished shard file.
struct ShardRecord {
  std::string file;
  int64_t bytes = 0;
  uint64_t checksum = 0;
  uint64_t text_checksum = 0;  // of the text it was made from
  int64_t documents = 0;
  int64_t sequences = 0;
  int64_t tokens = 0;        // special tokens included
  int64_t random_pairs = 0;  // sequences whose second segment is from another document
  std::vector<DataSetRecord> data_sets;

  bool operator==(const ShardRecord&) const = default;
};

/// What manifest.json says. While shards are being made, each finished one has a manifest of its own beside it.
struct ShardManifest {
  ShardSettings settings;
  std::vector<ShardRecord> shards;
  std::vector<int64_t> token_counts;  // by token id, over all its shards
};

std::string to_string(Objective objective);
/// "shard-00012.h5", and the name of the manifest of that shard alone.
std::string shard_file_name(int64_t shard);
std::string shard_record_name(int64_t shard);
inline constexpr std::string_view kShardManifestName = "manifest.json";
inline constexpr int64_t kShardFormatVersion = 2;

/// Sequences whose token ids share one compressed chunk, a function of their length alone.
int64_t shard_chunk_size(int64_t sequence_length);
/// The data sets of a shard file.
std::vector<TableFormat> shard_tables(const ShardSettings& settings);

/// Equal manifests are equal bytes.
void write_manifest(const std::string& path, const ShardManifest& manifest);
/// Throws DamagedFileError naming the file unless it holds, byte for byte, what write_manifest writes, and
/// MismatchError where another version wrote it.
ShardManifest read_manifest(const std::string& path);
/// The manifest of a directory whose shards are all there. Throws ConfigError where there is none.
ShardManifest read_finished_manifest(const std::string& directory);
/// The manifest of one shard alone, from the directory it is being made in.
ShardManifest read_shard_record(const std::string& directory, int64_t shard);
/// A fingerprint of all it says, checksums of the shards included.
uint64_t manifest_hash(const ShardManifest& manifest);

/// Throws MismatchError naming the first setting that differs.
void check_same_settings(std::string_view where, const ShardSettings& found, const ShardSettings& expected);

/// Throws DamagedFileError naming the file, and the data set where that is known, unless its bytes are those of its
/// record. Nothing interprets them.
void check_intact(const std::string& path, const ShardRecord& record);

}  // namespace bertha
