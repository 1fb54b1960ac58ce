#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/masking.h"
#include "data/recently_used.h"
#include "data/shard.h"

namespace bertha {

/// Whether a directory holds HDF5 files (*.hdf5, *.h5) that are no shards, finished or not.
bool holds_premasked_files(const std::string& directory);

/// Reads a file of masked samples from front to back, as a PremaskedSet does that opens it. Throws what that throws.
void check_premasked_file(const std::string& path, int64_t vocabulary_size, Objective objective);

/// A directory of HDF5 files whose samples were masked when they were made, as NVIDIA's BERT scripts write them. Each
/// file has six data sets of integers for its n samples: `input_ids` (with the masks in place), `input_mask` (1 for
/// tokens, then 0 for padding) and `segment_ids` (n, S); `masked_lm_positions` (0: not used) and `masked_lm_ids` (n,
/// P), the original tokens there; `next_sentence_labels` (n) or (n, 1). Padding is dropped.
///
/// Opening it reads and checks everything once, the files in the order of their names. Not thread-safe; each rank and
/// thread opens its own. Source: create_pretraining_data.py of NVIDIA's DeepLearningExamples (PyTorch, BERT).
class PremaskedSet {
 public:
  /// Called for each file before this process opens it, like check_premasked_file; what it throws is thrown.
  using CheckFile = std::function<void(const std::string& path, int64_t vocabulary_size, Objective objective)>;

  /// For objective mlm labels are left out. Throws ConfigError where there is no file, DamagedFileError naming file,
  /// data set and row for values that make no sample, MismatchError where files have sequences of different lengths S
  /// or token ids are not within the vocabulary.
  PremaskedSet(const std::string& directory, int64_t vocabulary_size, Objective objective, const CheckFile& check_file);
  ~PremaskedSet();
  PremaskedSet(const PremaskedSet&) = delete;
  PremaskedSet& operator=(const PremaskedSet&) = delete;

  int64_t size() const { return begins_.back(); }  // samples
  int64_t tokens() const { return tokens_; }       // without padding
  int64_t sequence_length() const { return sequence_length_; }
  /// A fingerprint of all values, however they are stored.
  uint64_t hash() const { return hash_; }
  /// Samples that are read together; each file starts anew.
  int64_t chunk_size() const;
  /// How often each token id occurs before masking, special tokens included.
  const std::vector<int64_t>& token_counts() const { return token_counts_; }

  /// Throws DamagedFileError where a file is not what it was when it was opened.
  MaskedSequence sample(int64_t index);

 private:
  class OpenFile;
  struct Chunk;
  /// Which file stands under a name, and whether it was written since.
  struct Identity {
    uint64_t device, inode;
    int64_t size, modified, changed;  // times in nanoseconds

    bool operator==(const Identity&) const = default;
  };

  friend void check_premasked_file(const std::string& path, int64_t vocabulary_size, Objective objective);
  PremaskedSet(std::vector<std::string> files, int64_t vocabulary_size, Objective objective);

  static Identity identity_of(const std::string& path);
  void read_file(size_t index);
  void count(const MaskedSequence& sample);
  OpenFile& open_file(size_t file);
  const Chunk& chunk(size_t file, int64_t index);
  void check_unchanged(bool condition, size_t file) const;

  std::vector<std::string> files_;
  std::vector<Identity> identities_;  // of the files when they were checked
  int64_t vocabulary_size_;
  Objective objective_;
  int64_t sequence_length_ = 0;
  int64_t tokens_ = 0;
  uint64_t hash_ = 0;
  std::vector<int64_t> token_counts_;
  std::vector<int64_t> begins_{0};                      // by file, its first sample; last: the number of all
  std::vector<std::vector<uint64_t>> chunk_checksums_;  // by file
  RecentlyUsed<OpenFile> open_;
  RecentlyUsed<Chunk> chunks_;
};

}  // namespace bertha
