#include "data/shard_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/json_reader.h"
#include "data/sequence_builder.h"
#include "data/shown.h"

namespace bertha {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "bertha shards";
constexpr const char* kChunkChecksums = "chunk_checksums";
constexpr int64_t kChunkTokens = 65536;
constexpr int64_t kColumnChunkRows = 16384;
constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 28;
constexpr size_t kMaxVocabulary = size_t{1} << 21;
constexpr size_t kMostDataSets = 5;
constexpr std::string_view kNoManifest = "not a shard manifest";
constexpr int64_t kMaxCount = int64_t{1} << 48;  // what no honest count reaches, so that sums cannot overflow
constexpr size_t kReadBytes = size_t{1} << 20;

Objective parse_objective(const std::string& name) {
  return name == to_string(Objective::kMlm) ? Objective::kMlm : Objective::kMlmNsp;
}

json settings_to_json(const ShardSettings& settings) {
  return {{"objective", to_string(settings.objective)},
          {"sequence_length", settings.sequence_length},
          {"seed", settings.seed},
          {"vocabulary_hash", to_hex(settings.vocabulary_hash)},
          {"vocabulary_size", settings.vocabulary_size},
          {"lowercase", settings.lowercase},
          {"text_bytes", settings.text_bytes},
          {"block_bytes", settings.block_bytes},
          {"blocks_per_shard", settings.blocks_per_shard},
          {"total_shards", settings.shards}};
}

// ---- Writing

/// Takes the text piece by piece.
using Sink = std::function<void(std::string_view)>;

void render(const DataSetRecord& data_set, const Sink& sink) {
  sink(json(data_set.name).dump() + ":{\"chunks\":[");
  for (size_t i = 0; i < data_set.chunks.size(); ++i) {
    const Extent& chunk = data_set.chunks[i];
    sink(fmt::format("{}[{},{}]", i > 0 ? "," : "", chunk.offset, chunk.size));
  }
  sink(fmt::format(R"(],"xxh3":"{}"}})", to_hex(data_set.checksum)));
}

void render(const ShardRecord& record, const Sink& sink) {
  sink(fmt::format(R"({{"bytes":{},"data_sets":{{)", record.bytes));
  for (size_t i = 0; i < record.data_sets.size(); ++i) {
    if (i > 0) sink(",");
    render(record.data_sets[i], sink);
  }
  sink(fmt::format(R"(}},"documents":{},"file":{},"random_pairs":{},"sequences":{},)"
                   R"("text_xxh3":"{}","tokens":{},"xxh3":"{}"}})",
                   record.documents, json(record.file).dump(), record.random_pairs, record.sequences,
                   to_hex(record.text_checksum), record.tokens, to_hex(record.checksum)));
}

/// All but the checksum and the bracket behind it.
void render_body(const ShardManifest& manifest, const Sink& sink) {
  sink(fmt::format(R"({{"format":"{}","format_version":{},"settings":{},"shards":[)", kFormat, kShardFormatVersion,
                   settings_to_json(manifest.settings).dump()));
  for (size_t i = 0; i < manifest.shards.size(); ++i) {
    if (i > 0) sink(",");
    render(manifest.shards[i], sink);
  }
  sink(R"(],"token_counts":[)");
  for (size_t id = 0; id < manifest.token_counts.size(); ++id)
    sink(fmt::format("{}{}", id > 0 ? "," : "", manifest.token_counts[id]));
  sink("]");
}

std::string tail_text(uint64_t checksum) {
  return fmt::format(",\"xxh3\":\"{}\"}}\n", to_hex(checksum));
}

void render(const ShardManifest& manifest, const Sink& sink) {
  render_body(manifest, sink);
  sink(tail_text(manifest_hash(manifest)));
}

/// Whether a manifest is written as this text, which takes no memory to find out.
bool is_written_as(const ShardManifest& manifest, std::string_view text) {
  bool same = true;
  render(manifest, [&](std::string_view piece) {
    same = same && text.starts_with(piece);
    text.remove_prefix(std::min(piece.size(), text.size()));
  });
  return same && text.empty();
}

// ---- Reading

int64_t read_integer(JsonReader& reader) {
  const uint64_t value = reader.count();
  check<DamagedFileError>(value <= INT64_MAX, kNoManifest, ": holds the number ", value);
  return static_cast<int64_t>(value);
}

ShardSettings read_settings(JsonReader& reader) {
  ShardSettings settings;
  const std::map<std::string_view, int64_t*> integers = {{"sequence_length", &settings.sequence_length},
                                                         {"vocabulary_size", &settings.vocabulary_size},
                                                         {"text_bytes", &settings.text_bytes},
                                                         {"block_bytes", &settings.block_bytes},
                                                         {"blocks_per_shard", &settings.blocks_per_shard},
                                                         {"total_shards", &settings.shards}};
  reader.object([&](const std::string& key) {
    if (const auto integer = integers.find(key); integer != integers.end()) {
      *integer->second = read_integer(reader);
    } else if (key == "objective") {
      settings.objective = parse_objective(reader.text());
    } else if (key == "seed") {
      settings.seed = reader.count();
    } else if (key == "vocabulary_hash") {
      settings.vocabulary_hash = from_hex(reader.text());
    } else if (key == "lowercase") {
      settings.lowercase = reader.boolean();
    } else {
      reader.skip();
    }
  });
  return settings;
}

/// The elements of an array. They are counted first: a vector that grew would take twice the memory.
template <class T, class Read>
void read_list(JsonReader& reader, std::vector<T>& list, const Read& read, size_t most = SIZE_MAX) {
  size_t elements = 0;
  JsonReader ahead = reader;
  ahead.array([&] {
    ahead.skip();
    ++elements;
  });
  check<DamagedFileError>(elements <= most, kNoManifest, ": a list of ", elements, " (at most ", most, ")");
  list.reserve(elements);
  reader.array([&] { list.push_back(read(reader)); });
}

Extent read_chunk(JsonReader& reader) {
  std::array<int64_t, 2> numbers{};
  size_t count = 0;
  reader.array([&] {
    check<DamagedFileError>(count < 2, kNoManifest, ": a chunk of more than two numbers");
    numbers[count++] = read_integer(reader);
  });
  check<DamagedFileError>(count == 2, kNoManifest, ": a chunk of less than two numbers");
  return {numbers[0], numbers[1]};
}

DataSetRecord read_data_set(JsonReader& reader, const std::string& name) {
  DataSetRecord data_set{name, {}, 0};
  reader.object([&](const std::string& key) {
    if (key == "chunks") {
      read_list(reader, data_set.chunks, read_chunk);
    } else if (key == "xxh3") {
      data_set.checksum = from_hex(reader.text());
    } else {
      reader.skip();
    }
  });
  return data_set;
}

ShardRecord read_record(JsonReader& reader) {
  constexpr size_t kRecordMembers = 9;
  ShardRecord record;
  const std::map<std::string_view, int64_t*> integers = {{"bytes", &record.bytes},
                                                         {"documents", &record.documents},
                                                         {"sequences", &record.sequences},
                                                         {"tokens", &record.tokens},
                                                         {"random_pairs", &record.random_pairs}};
  size_t members = 0;
  reader.object([&](const std::string& key) {
    ++members;
    if (const auto integer = integers.find(key); integer != integers.end()) {
      *integer->second = read_integer(reader);
    } else if (key == "file") {
      record.file = reader.text();
    } else if (key == "xxh3") {
      record.checksum = from_hex(reader.text());
    } else if (key == "text_xxh3") {
      record.text_checksum = from_hex(reader.text());
    } else if (key == "data_sets") {
      reader.object([&](const std::string& name) {
        check<DamagedFileError>(record.data_sets.size() < kMostDataSets, kNoManifest, ": more than ", kMostDataSets,
                                " data sets of a shard");
        record.data_sets.push_back(read_data_set(reader, name));
      });
    } else {
      fail<DamagedFileError>(kNoManifest, ": a shard with a member ", shown(key));
    }
  });
  check<DamagedFileError>(members == kRecordMembers, kNoManifest, ": a shard of ", members, " members (expected ",
                          kRecordMembers, ")");
  return record;
}

/// Whether it is whole, whatever version wrote it.
bool ends_in_its_checksum(std::string_view text) {
  const size_t tail = tail_text(0).size();
  if (text.size() < tail) return false;
  const std::string_view body = text.substr(0, text.size() - tail);
  Checksum checksum;
  checksum.update(std::span<const char>(body));
  checksum.update(std::span<const char>("}", 1));
  return text.substr(body.size()) == tail_text(checksum.value());
}

/// Throws sentences that do not name the file.
ShardManifest parse_text(std::string_view text) {
  check_json(text, kNoManifest);
  ShardManifest manifest;
  JsonReader reader(text, kNoManifest);
  reader.object([&](const std::string& key) {
    if (key == "format_version") {
      const uint64_t version = reader.count();
      check<MismatchError>(version == kShardFormatVersion || !ends_in_its_checksum(text), "has format version ",
                           version, " (this program reads ", kShardFormatVersion, "); make the shards again");
    } else if (key == "settings") {
      manifest.settings = read_settings(reader);
    } else if (key == "shards") {
      read_list(reader, manifest.shards, read_record);
    } else if (key == "token_counts") {
      read_list(reader, manifest.token_counts, read_integer, kMaxVocabulary);
    } else {
      reader.skip();
    }
  });
  return manifest;
}

ShardManifest parse(const std::string& path, std::string_view text) {
  try {
    return parse_text(text);
  } catch (const DamagedFileError& error) {
    fail<DamagedFileError>(path, ": ", error.what());
  } catch (const MismatchError& error) {
    fail<MismatchError>(path, ": ", error.what());
  }
}

bool is_count(int64_t value) {
  return value >= 0 && value <= kMaxCount;
}

/// Each lies within the file, and all of them together are no more than it: reading them takes linear time.
bool has_room_for_chunks(const ShardRecord& record) {
  int64_t rest = record.bytes;
  for (const DataSetRecord& data_set : record.data_sets) {
    for (const Extent& chunk : data_set.chunks) {
      if (chunk.size > rest || chunk.offset > record.bytes - chunk.size) return false;
      rest -= chunk.size;
    }
  }
  return true;
}

/// Throws unless the data sets are those of a shard, with as many chunks as its sequences need.
void check_data_sets(const std::string& path, const ShardSettings& settings, const ShardRecord& record) {
  const auto pieces = [](int64_t rows, int64_t piece) { return (rows + piece - 1) / piece; };
  const std::vector<TableFormat> tables = shard_tables(settings);
  check<DamagedFileError>(record.data_sets.size() == tables.size(), path, ": lists ", record.data_sets.size(),
                          " data sets of ", shown(record.file), " (expected ", tables.size(), ")");
  for (const TableFormat& table : tables) {
    const int64_t rows = table.name == kChunkChecksums
                             ? pieces(record.sequences, shard_chunk_size(settings.sequence_length))
                             : record.sequences;
    const auto data_set = std::ranges::find(record.data_sets, table.name, &DataSetRecord::name);
    check<DamagedFileError>(data_set != record.data_sets.end(), path, ": lists no data set '", table.name, "' of ",
                            shown(record.file));
    const int64_t chunks = pieces(rows, table.chunk_rows);
    check<DamagedFileError>(std::ssize(data_set->chunks) == chunks, path, ": lists ", data_set->chunks.size(),
                            " chunks of data set '", table.name, "' of ", shown(record.file), " (its ", rows,
                            " rows need ", chunks, ")");
  }
}

/// What readers rely on without looking again.
void check_sane(const std::string& path, const ShardManifest& manifest) {
  const ShardSettings& settings = manifest.settings;
  const auto in = [](int64_t value, int64_t low, int64_t high) { return low <= value && value <= high; };
  check<DamagedFileError>(in(settings.sequence_length, min_sequence_length(settings.objective), kMaxSequenceLength),
                          path, ": sequence_length is ", settings.sequence_length);
  check<DamagedFileError>(in(settings.vocabulary_size, 1, INT32_MAX) &&
                              std::ssize(manifest.token_counts) == settings.vocabulary_size &&
                              std::ranges::all_of(manifest.token_counts, is_count),
                          path, ": token_counts do not fit vocabulary_size ", settings.vocabulary_size);
  int64_t sequences = 0, tokens = 0, documents = 0;
  for (const ShardRecord& record : manifest.shards) {
    const std::array counts{record.sequences, record.tokens, record.bytes, record.documents, record.random_pairs};
    check<DamagedFileError>(std::ranges::all_of(counts, is_count), path, ": impossible counts for ",
                            shown(record.file));
    check<DamagedFileError>(has_room_for_chunks(record), path, ": impossible chunks for ", shown(record.file));
    check_data_sets(path, settings, record);
    sequences += record.sequences;
    tokens += record.tokens;
    documents += record.documents;
    check<DamagedFileError>(is_count(sequences) && is_count(tokens) && is_count(documents), path,
                            ": impossible counts at ", shown(record.file));
  }
}

/// The shards of a manifest are those it should have, under no other name.
void check_lists(const std::string& path, const ShardManifest& manifest, int64_t first_shard, int64_t shards) {
  check<DamagedFileError>(std::ssize(manifest.shards) == shards, path, ": lists ", manifest.shards.size(),
                          " shards (expected ", shards, ")");
  for (int64_t i = 0; i < shards; ++i) {
    const std::string expected = shard_file_name(first_shard + i);
    check<DamagedFileError>(manifest.shards[i].file == expected, path, ": lists ", shown(manifest.shards[i].file),
                            " in the place of ", expected);
  }
}

/// The checksum of ranges that lie within the file.
uint64_t checksum_range(const InputFile& file, std::span<const Extent> extents) {
  Checksum checksum;
  std::vector<std::byte> buffer;
  for (Extent rest : extents) {
    buffer.resize(std::max(buffer.size(), std::min(kReadBytes, static_cast<size_t>(rest.size))));
    while (rest.size > 0) {
      const auto part = std::span(buffer).first(std::min<size_t>(buffer.size(), rest.size));
      file.read(static_cast<uint64_t>(rest.offset), part);
      checksum.update(std::span<const std::byte>(part));
      rest.offset += std::ssize(part);
      rest.size -= std::ssize(part);
    }
  }
  return checksum.value();
}

}  // namespace

std::string to_string(Objective objective) {
  return objective == Objective::kMlm ? "mlm" : "mlm_nsp";
}

std::string shard_file_name(int64_t shard) {
  return fmt::format("shard-{:05}.h5", shard);
}

std::string shard_record_name(int64_t shard) {
  return fmt::format("shard-{:05}.json", shard);
}

int64_t shard_chunk_size(int64_t sequence_length) {
  return std::max<int64_t>(1, kChunkTokens / sequence_length);
}

std::vector<TableFormat> shard_tables(const ShardSettings& settings) {
  const int64_t id_bytes = settings.vocabulary_size <= 65536 ? 2 : 4;
  std::vector<TableFormat> tables{
      {"input_ids", settings.sequence_length, shard_chunk_size(settings.sequence_length), id_bytes},
      {"lengths", 1, kColumnChunkRows, 2},
      {kChunkChecksums, 1, kColumnChunkRows, 8}};
  if (settings.objective == Objective::kMlmNsp) {
    tables.push_back({"second_begins", 1, kColumnChunkRows, 2});
    tables.push_back({"next_sentence_labels", 1, kColumnChunkRows, 1});
  }
  return tables;
}

void write_manifest(const std::string& path, const ShardManifest& manifest) {
  std::string text;
  render(manifest, [&](std::string_view piece) { text += piece; });
  write_durably(path, text);
}

ShardManifest read_manifest(const std::string& path) {
  const std::string text = read_text(path, kMaxManifestBytes);
  ShardManifest manifest = parse(path, text);
  check<DamagedFileError>(is_written_as(manifest, text), path, ": its content does not match its own checksum");
  check_sane(path, manifest);
  return manifest;
}

ShardManifest read_finished_manifest(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kShardManifestName);
  check<ConfigError>(path_exists(path), directory, ": no ", kShardManifestName,
                     " (a finished shard directory was expected)");
  ShardManifest manifest = read_manifest(path);
  check_lists(path, manifest, 0, manifest.settings.shards);
  return manifest;
}

ShardManifest read_shard_record(const std::string& directory, int64_t shard) {
  const std::string path = directory + "/" + shard_record_name(shard);
  ShardManifest manifest = read_manifest(path);
  check_lists(path, manifest, shard, 1);
  return manifest;
}

uint64_t manifest_hash(const ShardManifest& manifest) {
  Checksum checksum;
  const auto add = [&](std::string_view piece) { checksum.update(std::span<const char>(piece)); };
  render_body(manifest, add);
  add("}");
  return checksum.value();
}

void check_same_settings(std::string_view where, const ShardSettings& found, const ShardSettings& expected) {
  const json holds = settings_to_json(found);
  const json wanted = settings_to_json(expected);
  for (const auto& [name, value] : wanted.items()) {
    check<MismatchError>(holds.at(name) == value, where, ": holds shards made with ", name, " ", holds.at(name).dump(),
                         ", not ", value.dump(), "; choose another directory or empty it");
  }
}

void check_intact(const std::string& path, const ShardRecord& record) {
  const std::string why = why_no_file(path);
  check<DamagedFileError>(why.empty(), path, ": ", why);
  const InputFile file(path);
  check<DamagedFileError>(static_cast<int64_t>(file.size()) == record.bytes, path, ": ", file.size(),
                          " bytes (expected ", record.bytes, ")");
  const std::vector<Extent> whole{{0, record.bytes}};
  if (checksum_range(file, whole) == record.checksum) return;
  const auto damaged = std::ranges::find_if(record.data_sets, [&](const DataSetRecord& data_set) {
    return checksum_range(file, data_set.chunks) != data_set.checksum;
  });
  if (damaged != record.data_sets.end()) {
    fail<DamagedFileError>(path, ": data set '", damaged->name, "' is damaged: its bytes do not match their checksum ",
                           to_hex(damaged->checksum));
  }
  fail<DamagedFileError>(path, ": damaged between its data sets: it does not match its checksum ",
                         to_hex(record.checksum));
}

}  // namespace bertha
