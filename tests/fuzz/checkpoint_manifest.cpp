#include <span>

#include "data/checksum.h"
#include "tests/fuzz/fuzz.h"
#include "train/checkpoint/manifest.h"

namespace bertha {
namespace {

/// The file whose last line is the right checksum of what is before, so that what is before is read.
std::string with_checksum(std::string_view body) {
  const std::string checksum = to_hex(checksum_of(std::as_bytes(std::span(body))));
  return std::string(body).append(",\n  \"checksum\": \"").append(checksum).append("\"\n}\n");
}

void read(std::string_view bytes) {
  file_of(std::string(kManifestName), bytes);
  const Manifest manifest = Manifest::read(fuzz_folder().path());
  file_of(std::string(kManifestName), manifest.to_text());
  require(Manifest::read(fuzz_folder().path()).to_text() == manifest.to_text(), "a manifest is read as it was written");
  const std::vector<Damage> damage = find_damage(fuzz_folder().path());
  if (!damage.empty()) fail<DamagedFileError>(to_sentence(damage.front()));
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  static const std::string model = file_of("model.safetensors", "0123456789abcdef");
  read_or_refuse([&] { read(text_of(data, size)); });
  read_or_refuse([&] { read(with_checksum(text_of(data, size))); });
  return 0;
}
