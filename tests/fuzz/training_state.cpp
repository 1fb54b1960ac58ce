// Manifests with right checksums that say anything of a training_state.h5. An input is what the manifest lists of it, a
// zero byte, and the file.

#include "train/checkpoint/training_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "data/checksum.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

using nlohmann::json;

uint64_t number_of(const json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_number_unsigned() ? member->get<uint64_t>() : 0;
}

/// By name, offset and bytes; the checksums are made right where that is possible.
FileRecord record_of(const json& listed, std::string_view file) {
  FileRecord record;
  record.name = kTrainingStateName;
  record.bytes = file.size();
  record.checksum = checksum_of(std::as_bytes(std::span(file)));
  Checksum between;
  uint64_t end = 0;
  for (const json& entry : listed) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string()) continue;
    TensorRecord tensor{entry["name"].get<std::string>(), number_of(entry, "offset"), number_of(entry, "bytes")};
    if (tensor.offset >= end && tensor.offset <= file.size() && tensor.bytes <= file.size() - tensor.offset) {
      tensor.checksum = checksum_of(std::as_bytes(std::span(file.substr(tensor.offset, tensor.bytes))));
      between.update(std::span<const char>(file.substr(end, tensor.offset - end)));
      end = tensor.offset + tensor.bytes;
    }
    record.tensors.push_back(std::move(tensor));
  }
  between.update(std::span<const char>(file.substr(end)));
  record.checksum_between = between.value();
  return record;
}

void read_all() {
  constexpr uint64_t kMost = 1 << 16;
  const TrainingStateFile file(fuzz_folder().path());
  read_or_refuse([&] { check_same_run(fuzz_folder().path(), file.state().identity, {}); });
  for (const TensorRecord& moment : file.moments()) {
    std::vector<float> elements(std::min(moment.bytes, kMost) / sizeof(float));
    const size_t slash = std::min(moment.name.find('/'), moment.name.size() - 1);
    const std::string_view name = moment.name;
    file.read_moment(name.substr(0, slash), name.substr(slash + 1), {std::ssize(elements)}, elements);
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  const auto [list, file] = parted_at_zero(text_of(data, size));
  const json listed = json::parse(list, nullptr, /*allow_exceptions=*/false);
  if (!listed.is_array()) return 0;
  file_of(std::string(kTrainingStateName), file);
  try {
    file_of(std::string(kManifestName), Manifest{{record_of(listed, file)}}.to_text());
  } catch (const json::exception&) {  // a name that is not UTF-8
    return 0;
  }
  read_or_refuse(read_all);
  return 0;
}
