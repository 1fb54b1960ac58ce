#include "data/shard.h"

#include <algorithm>
#include <exception>
#include <map>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "data/file.h"
#include "data/shard_manifest.h"
#include "data/shard_table.h"
#include "data/shard_writer.h"

namespace bertha {
namespace {

// A sampler mixes the sequences of several chunks.
constexpr size_t kKeptChunks = 32;
constexpr size_t kOpenFiles = 32;

void check_all_intact(const std::string& directory, const ShardManifest& manifest) {
  std::vector<std::exception_ptr> failures(manifest.shards.size());
  parallel_for(std::ssize(manifest.shards), 1, [&](int64_t begin, int64_t end) {
    for (int64_t shard = begin; shard < end; ++shard) {
      try {
        check_intact(directory + "/" + manifest.shards[shard].file, manifest.shards[shard]);
      } catch (...) {
        failures[shard] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

ShardManifest only(int64_t shard, ShardManifest manifest) {
  manifest.shards = {manifest.shards.at(static_cast<size_t>(shard))};
  manifest.token_counts.clear();
  return manifest;
}

}  // namespace

/// Some rows of one shard, decompressed and checked.
struct ShardSet::Chunk {
  size_t shard;
  int64_t index;
  std::vector<int32_t> ids, lengths, second_begins, labels;
};

/// A file with its data sets.
class ShardSet::OpenShard {
 public:
  OpenShard(const std::string& directory, const ShardManifest& manifest, size_t index)
      : index_(index),
        settings_(manifest.settings),
        record_(manifest.shards[index]),
        file_(std::make_unique<InputFile>(directory + "/" + record_.file)) {
    const auto chunks = (record_.sequences + chunk_size() - 1) / chunk_size();
    for (const TableFormat& format : shard_tables(settings_)) {
      const auto data_set = std::ranges::find(record_.data_sets, format.name, &DataSetRecord::name);
      tables_.emplace(format.name, ShardTable(*file_, format, *data_set));
    }
    checksums_.resize(static_cast<size_t>(chunks));
    tables_.at("chunk_checksums").read(0, std::span<uint64_t>(checksums_));
  }

  size_t index() const { return index_; }

  /// Adds how many sequences have each length.
  void count_lengths(std::vector<int64_t>& counts) {
    constexpr int64_t kRows = 16384;
    std::vector<int32_t> lengths;
    for (int64_t first = 0; first < record_.sequences; first += kRows) {
      read_rows("lengths", first, std::min(kRows, record_.sequences - first), lengths);
      check_range("lengths", lengths, 1, settings_.sequence_length);
      for (const int32_t length : lengths) ++counts[static_cast<size_t>(length)];
    }
  }

  Chunk read(int64_t chunk) {
    const int64_t first = chunk * chunk_size();
    const int64_t rows = std::min(chunk_size(), record_.sequences - first);
    Chunk result{index_, chunk, {}, {}, {}, {}};
    read_rows("input_ids", first, rows * settings_.sequence_length, result.ids);
    read_rows("lengths", first, rows, result.lengths);
    if (settings_.objective == Objective::kMlmNsp) {
      read_rows("second_begins", first, rows, result.second_begins);
      read_rows("next_sentence_labels", first, rows, result.labels);
    }
    const uint64_t found = chunk_checksum(result.ids, result.lengths, result.second_begins, result.labels);
    check<DamagedFileError>(found == checksums_[chunk], file_->path(),
                            ": data set 'input_ids' or one beside it: sequences ", first, " to ", first + rows - 1,
                            " do not match their checksum");
    check_values(result);
    return result;
  }

 private:
  int64_t chunk_size() const { return shard_chunk_size(settings_.sequence_length); }

  void read_rows(const char* table, int64_t first, int64_t values, std::vector<int32_t>& out) {
    out.resize(static_cast<size_t>(values));
    tables_.at(table).read(first, std::span<int32_t>(out));
  }

  /// A checksum can be right and the values still nothing that a model may index with.
  void check_values(const Chunk& chunk) const {
    check_range("input_ids", chunk.ids, 0, settings_.vocabulary_size - 1);
    check_range("lengths", chunk.lengths, 1, settings_.sequence_length);
    check_range("next_sentence_labels", chunk.labels, 0, 1);
    for (size_t row = 0; row < chunk.second_begins.size(); ++row) {
      check_range("second_begins", std::span(chunk.second_begins).subspan(row, 1), 0, chunk.lengths[row]);
    }
  }

  void check_range(const char* table, std::span<const int32_t> values, int64_t low, int64_t high) const {
    if (values.empty()) return;
    const auto [least, most] = std::ranges::minmax(values);
    check<DamagedFileError>(least >= low && most <= high, file_->path(), ": data set '", table, "' holds ",
                            least < low ? least : most, " (expected ", low, " to ", high, ")");
  }

  size_t index_;
  const ShardSettings& settings_;
  const ShardRecord& record_;
  std::unique_ptr<InputFile> file_;
  std::map<std::string, ShardTable> tables_;
  std::vector<uint64_t> checksums_;
};

ShardSet::ShardSet(const std::string& directory) : ShardSet(directory, read_finished_manifest(directory)) {}

ShardSet::ShardSet(const std::string& directory, int64_t shard)
    : ShardSet(directory, only(shard, read_finished_manifest(directory))) {}

ShardSet::ShardSet(const std::string& directory, ShardManifest manifest)
    : directory_(directory),
      manifest_(std::make_unique<ShardManifest>(std::move(manifest))),
      hash_(manifest_hash(*manifest_)),
      begins_{0},
      open_(kOpenFiles),
      chunks_(kKeptChunks) {
  check_all_intact(directory, *manifest_);
  for (const ShardRecord& record : manifest_->shards) begins_.push_back(begins_.back() + record.sequences);
}

ShardSet::~ShardSet() = default;
ShardSet::ShardSet(ShardSet&&) noexcept = default;

int64_t ShardSet::size() const {
  return begins_.back();
}
int64_t ShardSet::sequence_length() const {
  return manifest_->settings.sequence_length;
}
Objective ShardSet::objective() const {
  return manifest_->settings.objective;
}
uint64_t ShardSet::vocabulary_hash() const {
  return manifest_->settings.vocabulary_hash;
}
int64_t ShardSet::vocabulary_size() const {
  return manifest_->settings.vocabulary_size;
}
bool ShardSet::lowercase() const {
  return manifest_->settings.lowercase;
}
uint64_t ShardSet::hash() const {
  return hash_;
}
int64_t ShardSet::chunk_size() const {
  return shard_chunk_size(sequence_length());
}
const std::vector<int64_t>& ShardSet::token_counts() const {
  return manifest_->token_counts;
}
const ShardManifest& ShardSet::manifest() const {
  return *manifest_;
}

std::vector<int64_t> ShardSet::length_counts() {
  std::vector<int64_t> counts(static_cast<size_t>(sequence_length()) + 1);
  for (size_t shard = 0; shard < manifest_->shards.size(); ++shard) open_shard(shard).count_lengths(counts);
  return counts;
}

int64_t ShardSet::tokens() const {
  int64_t tokens = 0;
  for (const ShardRecord& record : manifest_->shards) tokens += record.tokens;
  return tokens;
}

ShardSet::OpenShard& ShardSet::open_shard(size_t shard) {
  return open_.get([&](const OpenShard& open) { return open.index() == shard; },
                   [&] { return OpenShard(directory_, *manifest_, shard); });
}

const ShardSet::Chunk& ShardSet::chunk(size_t shard, int64_t index) {
  return chunks_.get([&](const Chunk& c) { return c.shard == shard && c.index == index; },
                     [&] { return open_shard(shard).read(index); });
}

Sequence ShardSet::sequence(int64_t index) {
  check<Error>(index >= 0 && index < size(), directory_, ": no sequence ", index, " (there are ", size(), ")");
  const auto shard = static_cast<size_t>(std::ranges::upper_bound(begins_, index) - begins_.begin() - 1);
  const int64_t place = index - begins_[shard];
  const Chunk& c = chunk(shard, place / chunk_size());
  const int64_t row = place % chunk_size();
  const auto ids = std::span(c.ids).subspan(row * sequence_length(), c.lengths[row]);
  if (c.labels.empty()) return {{ids.begin(), ids.end()}, c.lengths[row], -1};
  return {{ids.begin(), ids.end()}, c.second_begins[row], c.labels[row]};
}

}  // namespace bertha
