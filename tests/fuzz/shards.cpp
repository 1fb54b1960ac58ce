// Manifests with right checksums that say anything of a shard file, which is a sound one but for what the input says:
// behind the manifest and a zero byte, bytes in the place of those that begin with the first chunk.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/checksum.h"
#include "data/shard.h"
#include "data/shard_manifest.h"
#include "data/sharder.h"
#include "tests/data/shard_fixtures.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

using nlohmann::json;

/// A directory with one shard of a few sequences; its manifest is each input's.
const std::string& shard_directory() {
  static const std::string directory = [] {
    ShardOptions options;
    options.files = {file_of("text.txt", random_text(1, 4, 3, 10, 20))};
    options.directory = fuzz_folder() / "shards";
    options.objective = Objective::kMlmNsp;
    options.sequence_length = 16;
    shard_corpus(options, numbered_words(20), [](const ShardProgress&) {});
    return options.directory;
  }();
  return directory;
}

/// A shard file and the manifest of its directory.
struct Forgery {
  std::string manifest, shard;
};

/// With the right checksums of both.
Forgery forgery_of(std::string_view manifest, std::string_view chunks) {
  static const std::string sound = read_file(shard_directory() + "/shard-00000.h5");
  static const int64_t first_chunk = [] {
    const ShardManifest listed = read_finished_manifest(shard_directory());
    int64_t first = INT64_MAX;
    for (const DataSetRecord& data_set : listed.shards[0].data_sets) first = std::min(first, data_set.chunks[0].offset);
    return first;
  }();
  std::string shard = sound;
  if (!chunks.empty()) shard.replace(static_cast<size_t>(first_chunk), chunks.size(), chunks);
  json value = json::parse(manifest, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return {};
  try {
    for (json& record : value.at("shards")) {
      record["bytes"] = shard.size();
      record["xxh3"] = to_hex(checksum_of(std::as_bytes(std::span(shard))));
    }
    value.erase("xxh3");
    const std::string body = value.dump();
    value["xxh3"] = to_hex(checksum_of(std::as_bytes(std::span(body))));
    return {value.dump() + "\n", shard};
  } catch (const json::exception&) {
    return {};
  }
}

void read_sequences() {
  constexpr int64_t kMost = 50;
  ShardSet shards(shard_directory());
  for (int64_t i = 0; i < std::min(shards.size(), kMost); ++i) {
    const Sequence sequence = shards.sequence(i);
    require(std::ssize(sequence.ids) <= shards.sequence_length(), "a sequence is as long as it may be");
    for (const int32_t id : sequence.ids)
      require(id >= 0 && id < shards.vocabulary_size(), "ids are in the vocabulary");
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  const auto [manifest, chunks] = parted_at_zero(text_of(data, size));
  const Forgery forgery = forgery_of(manifest, chunks);
  if (forgery.manifest.empty()) return 0;
  write_file(shard_directory() + "/shard-00000.h5", forgery.shard);
  write_file(shard_directory() + "/manifest.json", forgery.manifest);
  read_or_refuse(read_sequences);
  return 0;
}
