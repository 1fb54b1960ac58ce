#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/shard_manifest.h"

namespace bertha {

/// A directory that shards are being made in, by several ranks or over several runs: which are finished, and when all
/// are, its manifest.
class ShardDirectory {
 public:
  /// Makes the directory where there is none. Throws ConfigError where that fails, MismatchError where it holds shards
  /// of other settings, finished or not.
  ShardDirectory(std::string path, const ShardSettings& settings);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Which of the shards `first`, `first + step`, ... were finished before, as they were then.
  std::map<int64_t, ShardRecord> finished(int64_t first, int64_t step) const;

  /// Writes the manifest of all shards, which must be finished. One that is there already stays, and MismatchError says
  /// where a shard made again is not what it was.
  void publish() const;

  ShardManifest manifest() const { return read_finished_manifest(path_); }

 private:
  bool is_published() const;
  void check_settings() const;
  void write_joined_manifest() const;
  void check_made_again() const;

  std::string path_;
  ShardSettings settings_;
};

}  // namespace bertha
