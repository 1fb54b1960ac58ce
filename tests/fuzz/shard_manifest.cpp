#include "data/shard_manifest.h"

#include <nlohmann/json.hpp>

#include "data/checksum.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

using nlohmann::json;

void read(const std::string& bytes) {
  const ShardManifest manifest = read_manifest(file_of("manifest.json", bytes));
  const uint64_t hash = manifest_hash(manifest);
  write_manifest(fuzz_folder() / "again.json", manifest);
  require(manifest_hash(read_manifest(fuzz_folder() / "again.json")) == hash, "a manifest is read as it was written");
  read_or_refuse([] { read_finished_manifest(fuzz_folder().path()); });
}

/// As write_manifest would put the same JSON, with the right checksum; empty where it is none.
std::string in_writing(std::string_view bytes) {
  json value = json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return "";
  try {
    value.erase("xxh3");
    const std::string body = value.dump();
    value["xxh3"] = to_hex(checksum_of(std::as_bytes(std::span(body))));
    return value.dump() + "\n";
  } catch (const json::exception&) {  // a text that is not UTF-8
    return "";
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  const std::string_view text = text_of(data, size);
  read_or_refuse([&] { read(std::string(text)); });
  if (const std::string written = in_writing(text); !written.empty()) read_or_refuse([&] { read(written); });
  return 0;
}
