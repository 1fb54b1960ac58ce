#include "data/shard_directory.h"

#include <algorithm>
#include <functional>

#include "autograd/core/error.h"
#include "data/file.h"

namespace bertha {

ShardDirectory::ShardDirectory(std::string path, const ShardSettings& settings)
    : path_(std::move(path)), settings_(settings) {
  make_directories(path_);
  check_settings();
}

bool ShardDirectory::is_published() const {
  return path_exists(file(std::string(kShardManifestName)));
}

void ShardDirectory::check_settings() const {
  if (is_published()) return check_same_settings(path_, manifest().settings, settings_);
  // Any one record tells, those of other ranks and of shards that this corpus does not have too.
  for (const std::string& name : names_of_directory(path_)) {
    if (!name.starts_with("shard-") || !name.ends_with(".json")) continue;
    return check_same_settings(path_, read_manifest(file(name)).settings, settings_);
  }
}

std::map<int64_t, ShardRecord> ShardDirectory::finished(int64_t first, int64_t step) const {
  std::map<int64_t, ShardRecord> records;
  const bool published = is_published();
  const ShardManifest whole = published ? manifest() : ShardManifest{};
  for (int64_t shard = first; shard < settings_.shards; shard += step) {
    if (published) {
      records[shard] = whole.shards.at(shard);
    } else if (path_exists(file(shard_record_name(shard)))) {
      records[shard] = read_shard_record(path_, shard).shards.front();
    }
  }
  return records;
}

void ShardDirectory::publish() const {
  if (is_published()) {
    check_made_again();
  } else {
    write_joined_manifest();
  }
  for (int64_t shard = 0; shard < settings_.shards; ++shard) remove_file(file(shard_record_name(shard)));
}

void ShardDirectory::write_joined_manifest() const {
  ShardManifest whole{settings_, {}, std::vector<int64_t>(static_cast<size_t>(settings_.vocabulary_size))};
  int64_t sequences = 0;
  for (int64_t shard = 0; shard < settings_.shards; ++shard) {
    const ShardManifest one = read_shard_record(path_, shard);
    check_same_settings(path_, one.settings, settings_);
    whole.shards.push_back(one.shards.front());
    sequences += one.shards.front().sequences;
    std::ranges::transform(whole.token_counts, one.token_counts, whole.token_counts.begin(), std::plus());
  }
  check<ConfigError>(sequences > 0, "corpus: no token in ", settings_.text_bytes, " bytes of text");
  write_manifest(file(std::string(kShardManifestName)), whole);
}

void ShardDirectory::check_made_again() const {
  const ShardManifest whole = manifest();
  for (int64_t shard = 0; shard < settings_.shards; ++shard) {
    const std::string record = file(shard_record_name(shard));
    if (!path_exists(record)) continue;
    check<MismatchError>(read_shard_record(path_, shard).shards.front() == whole.shards.at(shard), record,
                         ": made again, this shard is not what ", kShardManifestName, " says");
  }
}

}  // namespace bertha
