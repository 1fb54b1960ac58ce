#include "data/shard_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "data/file.h"
#include "data/sequence_builder.h"

namespace bertha {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "bertha shards";
constexpr int64_t kChunkTokens = 65536;
constexpr int64_t kColumnChunkRows = 16384;
constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 28;
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

ShardSettings settings_from_json(const json& j) {
  return {.objective = parse_objective(j.at("objective")),
          .sequence_length = j.at("sequence_length"),
          .seed = j.at("seed"),
          .vocabulary_hash = from_hex(j.at("vocabulary_hash").get<std::string>()),
          .vocabulary_size = j.at("vocabulary_size"),
          .lowercase = j.at("lowercase"),
          .text_bytes = j.at("text_bytes"),
          .block_bytes = j.at("block_bytes"),
          .blocks_per_shard = j.at("blocks_per_shard"),
          .shards = j.at("total_shards")};
}

json extents_to_json(const std::vector<Extent>& extents) {
  json list = json::array();
  for (const Extent& extent : extents) list.push_back({extent.offset, extent.size});
  return list;
}

json record_to_json(const ShardRecord& record) {
  json data_sets = json::object();
  for (const DataSetRecord& data_set : record.data_sets) {
    data_sets[data_set.name] = {{"extents", extents_to_json(data_set.extents)}, {"xxh3", to_hex(data_set.checksum)}};
  }
  return {{"file", record.file},
          {"bytes", record.bytes},
          {"xxh3", to_hex(record.checksum)},
          {"text_xxh3", to_hex(record.text_checksum)},
          {"documents", record.documents},
          {"sequences", record.sequences},
          {"tokens", record.tokens},
          {"random_pairs", record.random_pairs},
          {"data_sets", std::move(data_sets)}};
}

ShardRecord record_from_json(const json& j) {
  ShardRecord record{.file = j.at("file"),
                     .bytes = j.at("bytes"),
                     .checksum = from_hex(j.at("xxh3").get<std::string>()),
                     .text_checksum = from_hex(j.at("text_xxh3").get<std::string>()),
                     .documents = j.at("documents"),
                     .sequences = j.at("sequences"),
                     .tokens = j.at("tokens"),
                     .random_pairs = j.at("random_pairs"),
                     .data_sets = {}};
  for (const auto& [name, data_set] : j.at("data_sets").items()) {
    DataSetRecord entry{name, {}, from_hex(data_set.at("xxh3").get<std::string>())};
    for (const json& extent : data_set.at("extents")) entry.extents.push_back({extent.at(0), extent.at(1)});
    record.data_sets.push_back(std::move(entry));
  }
  return record;
}

json manifest_to_json(const ShardManifest& manifest) {
  json shards = json::array();
  for (const ShardRecord& record : manifest.shards) shards.push_back(record_to_json(record));
  return {{"format", kFormat},
          {"format_version", kShardFormatVersion},
          {"settings", settings_to_json(manifest.settings)},
          {"shards", std::move(shards)},
          {"token_counts", manifest.token_counts}};
}

uint64_t json_hash(const json& j) {
  const std::string text = j.dump();
  return checksum_of(std::as_bytes(std::span(text)));
}

std::string render(const ShardManifest& manifest) {
  json j = manifest_to_json(manifest);
  j["xxh3"] = to_hex(json_hash(j));
  return j.dump() + "\n";
}

ShardManifest manifest_from_json(const json& j) {
  ShardManifest manifest{settings_from_json(j.at("settings")), {}, j.at("token_counts")};
  for (const json& shard : j.at("shards")) manifest.shards.push_back(record_from_json(shard));
  return manifest;
}

ShardManifest parse(const std::string& path, const std::string& text) {
  try {
    return manifest_from_json(json::parse(text));
  } catch (const json::exception& error) {
    fail<DamagedFileError>(path, ": not a shard manifest: ", error.what());
  } catch (const DamagedFileError& error) {
    fail<DamagedFileError>(path, ": not a shard manifest: ", error.what());
  }
}

bool is_count(int64_t value) {
  return value >= 0 && value <= kMaxCount;
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
  int64_t sequences = 0;
  int64_t tokens = 0;
  for (const ShardRecord& record : manifest.shards) {
    const bool counts = is_count(record.sequences) && is_count(record.tokens) && is_count(record.bytes);
    check<DamagedFileError>(counts, path, ": impossible counts for ", record.file);
    sequences += record.sequences;
    tokens += record.tokens;
    check<DamagedFileError>(is_count(sequences) && is_count(tokens), path, ": impossible counts at ", record.file);
  }
}

/// The shards of a manifest are those it should have, under no other name.
void check_lists(const std::string& path, const ShardManifest& manifest, int64_t first_shard, int64_t shards) {
  check<DamagedFileError>(std::ssize(manifest.shards) == shards, path, ": lists ", manifest.shards.size(),
                          " shards (expected ", shards, ")");
  for (int64_t i = 0; i < shards; ++i) {
    const std::string expected = shard_file_name(first_shard + i);
    check<DamagedFileError>(manifest.shards[i].file == expected, path, ": lists '", manifest.shards[i].file,
                            "' in the place of ", expected);
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

bool is_damaged(const InputFile& file, const DataSetRecord& data_set) {
  const auto size = static_cast<int64_t>(file.size());
  const bool inside = std::ranges::all_of(data_set.extents, [&](const Extent& extent) {
    return extent.offset >= 0 && extent.size >= 0 && extent.size <= size - extent.offset;
  });
  return !inside || checksum_range(file, data_set.extents) != data_set.checksum;
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
      {"chunk_checksums", 1, kColumnChunkRows, 8}};
  if (settings.objective == Objective::kMlmNsp) {
    tables.push_back({"second_begins", 1, kColumnChunkRows, 2});
    tables.push_back({"next_sentence_labels", 1, kColumnChunkRows, 1});
  }
  return tables;
}

void write_manifest(const std::string& path, const ShardManifest& manifest) {
  write_durably(path, render(manifest));
}

ShardManifest read_manifest(const std::string& path) {
  const std::string text = read_text(path, kMaxManifestBytes);
  const ShardManifest manifest = parse(path, text);
  check<DamagedFileError>(render(manifest) == text, path, ": its content does not match its own checksum");
  check_sane(path, manifest);
  return manifest;
}

ShardManifest read_finished_manifest(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kShardManifestName);
  check<ConfigError>(std::filesystem::exists(path), directory, ": no ", kShardManifestName,
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
  return json_hash(manifest_to_json(manifest));
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
  check<DamagedFileError>(std::filesystem::is_regular_file(path), path, ": missing");
  const InputFile file(path);
  check<DamagedFileError>(static_cast<int64_t>(file.size()) == record.bytes, path, ": ", file.size(),
                          " bytes (expected ", record.bytes, ")");
  const std::vector<Extent> whole{{0, record.bytes}};
  if (checksum_range(file, whole) == record.checksum) return;
  const auto damaged =
      std::ranges::find_if(record.data_sets, [&](const DataSetRecord& data_set) { return is_damaged(file, data_set); });
  if (damaged != record.data_sets.end()) {
    fail<DamagedFileError>(path, ": data set '", damaged->name, "' is damaged: its bytes do not match their checksum ",
                           to_hex(damaged->checksum));
  }
  fail<DamagedFileError>(path, ": damaged between its data sets: it does not match its checksum ",
                         to_hex(record.checksum));
}

}  // namespace bertha
