// Manifests with right checksums that say anything of a sound shard file.

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

/// What the input says, but for the file's own bytes and checksum.
std::string manifest_of(std::string_view bytes) {
  static const ShardManifest sound = read_finished_manifest(shard_directory());
  json value = json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return "";
  try {
    for (json& shard : value.at("shards")) {
      shard["bytes"] = sound.shards[0].bytes;
      shard["xxh3"] = to_hex(sound.shards[0].checksum);
    }
    value.erase("xxh3");
    const std::string body = value.dump();
    value["xxh3"] = to_hex(checksum_of(std::as_bytes(std::span(body))));
    return value.dump() + "\n";
  } catch (const json::exception&) {
    return "";
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
  const std::string manifest = manifest_of(text_of(data, size));
  if (manifest.empty()) return 0;
  write_file(shard_directory() + "/manifest.json", manifest);
  read_or_refuse(read_sequences);
  return 0;
}
