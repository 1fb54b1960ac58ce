#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/recently_used.h"

namespace bertha {

enum class Objective { kMlm, kMlmNsp };

/// One training sequence as stored: whole, with its special tokens, unmasked.
struct Sequence {
  std::vector<int32_t> ids;          // [CLS] ... [SEP], or [CLS] A [SEP] B [SEP]
  int32_t second_begin = 0;          // where token type 1 starts; ids.size() without a second segment
  int32_t next_sentence_label = -1;  // 0: B follows A; 1: B is from another document; -1: objective mlm
};

struct ShardManifest;

/// A directory of shards. Opening it reads every file once and checks it against the manifest before anything
/// interprets its bytes; each chunk is checked again, against the checksum stored with it, when it is read. Not
/// thread-safe; each rank and thread opens its own.
class ShardSet {
 public:
  /// Throws DamagedFileError naming file and data set where a byte is not what was written, and ConfigError where there
  /// is no shard directory, or one that was never finished.
  explicit ShardSet(const std::string& directory);
  /// One shard of such a directory, by its number, as if it were all: sequences count from its first one. There are no
  /// counts of its tokens.
  ShardSet(const std::string& directory, int64_t shard);
  ~ShardSet();
  ShardSet(ShardSet&&) noexcept;

  int64_t size() const;  // sequences
  int64_t tokens() const;
  int64_t sequence_length() const;
  Objective objective() const;
  uint64_t vocabulary_hash() const;
  int64_t vocabulary_size() const;
  /// How the text was tokenised.
  bool lowercase() const;
  /// A fingerprint of the content, stored in checkpoints so that a run resumes on the same data.
  uint64_t hash() const;
  /// Sequences that share one compressed chunk: reading them together reads it once. Each file starts a new chunk, so a
  /// run of this many sequences lies in at most two chunks for each file that it touches.
  int64_t chunk_size() const;
  /// How often each token id occurs, special tokens included.
  const std::vector<int64_t>& token_counts() const;
  /// How many sequences have each length in tokens, from 0 to sequence_length(). Reads no ids. Throws DamagedFileError.
  std::vector<int64_t> length_counts();
  /// What manifest.json says.
  const ShardManifest& manifest() const;

  /// The last few chunks are kept decompressed. Throws DamagedFileError.
  Sequence sequence(int64_t index);

 private:
  class OpenShard;
  struct Chunk;

  ShardSet(const std::string& directory, ShardManifest manifest);
  OpenShard& open_shard(size_t shard);
  const Chunk& chunk(size_t shard, int64_t index);

  std::string directory_;
  std::unique_ptr<ShardManifest> manifest_;
  uint64_t hash_;
  std::vector<int64_t> begins_;  // by shard, its first sequence; last: the number of all
  RecentlyUsed<OpenShard> open_;
  RecentlyUsed<Chunk> chunks_;
};

}  // namespace bertha
