#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bertha {

enum class Objective { kMlm, kMlmNsp };

/// One training sequence as stored: whole, with its special tokens, unmasked.
struct Sequence {
  std::vector<int32_t> ids;           // [CLS] ... [SEP], or [CLS] A [SEP] B [SEP]
  int32_t second_begin = 0;           // where token type 1 starts; ids.size() without a second segment
  int32_t next_sentence_label = -1;   // 0: B follows A; 1: B is from another document; -1: objective mlm
};

/// A directory of shards that was checked as a whole: manifest, sizes, checksums of the metadata.
/// Not thread-safe; each rank and thread opens its own.
class ShardSet {
 public:
  /// Throws DamagedFileError naming file and data set where a byte is not what was written.
  explicit ShardSet(const std::string& directory);

  int64_t size() const;  // sequences
  int64_t tokens() const;
  int64_t sequence_length() const;
  Objective objective() const;
  uint64_t vocabulary_hash() const;
  /// A fingerprint of the content, stored in checkpoints so that a run resumes on the same data.
  uint64_t hash() const;
  /// Sequences that share one compressed chunk: reading them together reads it once.
  int64_t chunk_size() const;
  /// How often each token id occurs.
  std::vector<int64_t> token_counts() const;

  Sequence sequence(int64_t index);
};

}  // namespace bertha
