#include "data/premasked_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/hdf5_table.h"
#include "data/sequence_builder.h"
#include "data/shard_manifest.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

// As for shards: an epoch mixes the samples of several chunks.
constexpr size_t kKeptChunks = 32;
constexpr size_t kOpenFiles = 32;

/// In the order of their names.
std::vector<std::string> find_files(const std::string& directory) {
  std::vector<std::string> files;
  for (const std::string& name : names_of_directory(directory)) {
    if (name.ends_with(".hdf5") || name.ends_with(".h5")) files.push_back(fs::path(directory) / name);
  }
  std::ranges::sort(files);
  return files;
}

bool belongs_to_shards(const std::string& name) {
  return name == kShardManifestName || (name.starts_with("shard-") && name.ends_with(".json"));
}

}  // namespace

bool holds_premasked_files(const std::string& directory) {
  return path_is_directory(directory) && std::ranges::none_of(names_of_directory(directory), belongs_to_shards) &&
         !find_files(directory).empty();
}

/// Some samples of one file.
struct PremaskedSet::Chunk {
  size_t file;
  int64_t index;
  uint64_t checksum;
  std::vector<MaskedSequence> samples;
};

class PremaskedSet::OpenFile {
 public:
  OpenFile(const PremaskedSet& set, size_t index) : set_(set), index_(index), path_(set.files_[index]), tables_(path_) {
    const TableShape ids = tables_.open("input_ids");
    check_table(ids.columns >= 2 && ids.columns <= kMaxSequenceLength, "input_ids", "has sequences of ", ids.columns,
                " tokens (expected 2 to ", kMaxSequenceLength, ")");
    rows_ = ids.rows;
    length_ = ids.columns;
    open("input_mask", length_);
    open("segment_ids", length_);
    slots_ = tables_.open("masked_lm_positions").columns;
    check_table(slots_ >= 1 && slots_ <= length_, "masked_lm_positions", "has ", slots_, " positions a sequence of ",
                length_);
    open("masked_lm_ids", slots_);
    open("next_sentence_labels", 1);
  }

  size_t index() const { return index_; }
  const std::string& path() const { return path_; }
  int64_t rows() const { return rows_; }
  int64_t length() const { return length_; }

  Chunk read(int64_t chunk) const {
    const int64_t chunk_size = shard_chunk_size(length_);
    const int64_t first = chunk * chunk_size;
    const int64_t rows = std::min(chunk_size, rows_ - first);
    Checksum checksum;
    const auto values = [&](const char* table, int64_t columns) {
      std::vector<int32_t> read(static_cast<size_t>(rows * columns));
      tables_.read(table, first, std::span<int32_t>(read));
      checksum.update(std::span<const int32_t>(read));
      return read;
    };
    const Rows all{values("input_ids", length_),    values("input_mask", length_),
                   values("segment_ids", length_),  values("masked_lm_positions", slots_),
                   values("masked_lm_ids", slots_), values("next_sentence_labels", 1)};
    Chunk result{index_, chunk, checksum.value(), {}};
    for (int64_t row = 0; row < rows; ++row) result.samples.push_back(sample(all, row, first + row));
    return result;
  }

 private:
  struct Rows {
    std::vector<int32_t> ids, mask, segments, positions, masked_ids, labels;
  };

  template <class... Parts>
  void check_table(bool condition, const char* table, const Parts&... parts) const {
    check<DamagedFileError>(condition, path_, ": data set '", table, "' ", parts...);
  }
  template <class... Parts>
  void check_row(bool condition, const char* table, int64_t row, const Parts&... parts) const {
    check_table(condition, table, "holds in row ", row, " ", parts...);
  }

  void open(const char* table, int64_t columns) {
    const TableShape shape = tables_.open(table);
    check_table(shape.rows == rows_ && shape.columns == columns, table, "is ", shape.rows, " x ", shape.columns,
                " (expected ", rows_, " x ", columns, ")");
  }

  static std::span<const int32_t> row_of(const std::vector<int32_t>& values, int64_t row, int64_t columns) {
    return std::span(values).subspan(row * columns, columns);
  }

  MaskedSequence sample(const Rows& all, int64_t row, int64_t number) const {
    const int64_t length = tokens_of(row_of(all.mask, row, length_), number);
    const auto ids = row_of(all.ids, row, length_).first(length);
    for (const int32_t id : ids) check_id("input_ids", number, id);
    MaskedSequence result{{{ids.begin(), ids.end()}, 0, -1}, {}, {}};
    result.sequence.second_begin = second_begin(row_of(all.segments, row, length_).first(length), number);
    if (set_.objective_ == Objective::kMlmNsp) {
      const int32_t label = all.labels[row];
      check_row(label == 0 || label == 1, "next_sentence_labels", number, label, " (expected 0 or 1)");
      result.sequence.next_sentence_label = label;
    }
    add_masks(row_of(all.positions, row, slots_), row_of(all.masked_ids, row, slots_), number, result);
    return result;
  }

  void check_id(const char* table, int64_t row, int32_t id) const {
    check_row(id >= 0, table, row, "the token id ", id);
    check<MismatchError>(id < set_.vocabulary_size_, path_, ": data set '", table, "' holds in row ", row,
                         " the token id ", id, ", which is outside the vocabulary of ", set_.vocabulary_size_,
                         " tokens");
  }

  int64_t tokens_of(std::span<const int32_t> mask, int64_t row) const {
    const auto end = std::ranges::find_if(mask, [](int32_t value) { return value != 1; });
    check_row(end != mask.begin() && std::all_of(end, mask.end(), [](int32_t value) { return value == 0; }),
              "input_mask", row, "something else than 1 for tokens and then 0 for padding");
    return end - mask.begin();
  }

  int32_t second_begin(std::span<const int32_t> segments, int64_t row) const {
    const auto second = std::ranges::find_if(segments, [](int32_t value) { return value != 0; });
    check_row(std::all_of(second, segments.end(), [](int32_t value) { return value == 1; }), "segment_ids", row,
              "something else than 0 for the first segment and then 1 for the second");
    return static_cast<int32_t>(second - segments.begin());
  }

  void add_masks(std::span<const int32_t> positions, std::span<const int32_t> ids, int64_t row,
                 MaskedSequence& result) const {
    const auto length = static_cast<int32_t>(result.sequence.ids.size());
    std::vector<std::pair<int32_t, int32_t>> masks;  // by position
    for (size_t slot = 0; slot < positions.size(); ++slot) {
      if (positions[slot] == 0) continue;
      check_row(positions[slot] > 0 && positions[slot] < length, "masked_lm_positions", row, "position ",
                positions[slot], " of ", length, " tokens");
      check_id("masked_lm_ids", row, ids[slot]);
      masks.emplace_back(positions[slot], ids[slot]);
    }
    std::ranges::sort(masks);
    for (const auto& [position, id] : masks) {
      check_row(result.positions.empty() || result.positions.back() != position, "masked_lm_positions", row,
                "position ", position, " twice");
      result.positions.push_back(position);
      result.labels.push_back(id);
    }
  }

  const PremaskedSet& set_;
  size_t index_;
  std::string path_;
  Hdf5Tables tables_;
  int64_t rows_ = 0, length_ = 0, slots_ = 0;
};

PremaskedSet::PremaskedSet(std::vector<std::string> files, int64_t vocabulary_size, Objective objective)
    : files_(std::move(files)),
      vocabulary_size_(vocabulary_size),
      objective_(objective),
      token_counts_(static_cast<size_t>(vocabulary_size)),
      open_(kOpenFiles),
      chunks_(kKeptChunks) {
  for (const std::string& file : files_) identities_.push_back(identity_of(file));
}

PremaskedSet::PremaskedSet(const std::string& directory, int64_t vocabulary_size, Objective objective,
                           const CheckFile& check_file)
    : PremaskedSet(find_files(directory), vocabulary_size, objective) {
  check<ConfigError>(!files_.empty(), directory, ": no HDF5 file (*.hdf5 or *.h5 were expected)");
  for (size_t file = 0; file < files_.size(); ++file) {
    check_file(files_[file], vocabulary_size, objective);
    read_file(file);
  }
  Checksum checksum;
  for (const std::vector<uint64_t>& chunks : chunk_checksums_) checksum.update(std::span<const uint64_t>(chunks));
  hash_ = checksum.value();
}

PremaskedSet::~PremaskedSet() = default;

void check_premasked_file(const std::string& path, int64_t vocabulary_size, Objective objective) {
  PremaskedSet({path}, vocabulary_size, objective).read_file(0);
}

PremaskedSet::Identity PremaskedSet::identity_of(const std::string& path) {
  constexpr int64_t kNanoseconds = 1'000'000'000;
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  const auto nanoseconds = [](const timespec& time) { return time.tv_sec * kNanoseconds + time.tv_nsec; };
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

void PremaskedSet::read_file(size_t index) {
  check_unchanged(identity_of(files_[index]) == identities_[index], index);
  const OpenFile file(*this, index);
  if (index == 0) sequence_length_ = file.length();
  check<MismatchError>(file.length() == sequence_length_, file.path(), ": sequences of ", file.length(),
                       " tokens (those of ", files_.front(), " have ", sequence_length_, ")");
  std::vector<uint64_t>& checksums = chunk_checksums_.emplace_back();
  for (int64_t first = 0; first < file.rows(); first += chunk_size()) {
    const Chunk chunk = file.read(std::ssize(checksums));
    for (const MaskedSequence& sample : chunk.samples) count(sample);
    checksums.push_back(chunk.checksum);
  }
  begins_.push_back(size() + file.rows());
}

void PremaskedSet::count(const MaskedSequence& sample) {
  const std::vector<int32_t>& ids = sample.sequence.ids;
  tokens_ += std::ssize(ids);
  for (const int32_t id : ids) ++token_counts_[id];
  for (size_t i = 0; i < sample.labels.size(); ++i) {
    --token_counts_[ids[sample.positions[i]]];
    ++token_counts_[sample.labels[i]];
  }
}

int64_t PremaskedSet::chunk_size() const {
  return shard_chunk_size(sequence_length_);
}

PremaskedSet::OpenFile& PremaskedSet::open_file(size_t file) {
  return open_.get([&](const OpenFile& open) { return open.index() == file; },
                   [&] {
                     check_unchanged(identity_of(files_[file]) == identities_[file], file);
                     OpenFile open(*this, file);
                     const int64_t rows = begins_[file + 1] - begins_[file];
                     check_unchanged(open.rows() == rows && open.length() == sequence_length_, file);
                     return open;
                   });
}

const PremaskedSet::Chunk& PremaskedSet::chunk(size_t file, int64_t index) {
  return chunks_.get([&](const Chunk& c) { return c.file == file && c.index == index; },
                     [&] {
                       Chunk chunk = open_file(file).read(index);
                       check_unchanged(chunk.checksum == chunk_checksums_[file][index], file);
                       return chunk;
                     });
}

void PremaskedSet::check_unchanged(bool condition, size_t file) const {
  check<DamagedFileError>(condition, files_[file], ": was changed while it was in use");
}

MaskedSequence PremaskedSet::sample(int64_t index) {
  check<Error>(index >= 0 && index < size(), "samples: no sample ", index, " (there are ", size(), ")");
  const auto file = static_cast<size_t>(std::ranges::upper_bound(begins_, index) - begins_.begin() - 1);
  const int64_t place = index - begins_[file];
  return chunk(file, place / chunk_size()).samples[place % chunk_size()];
}

}  // namespace bertha
