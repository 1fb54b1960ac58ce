#include <set>

#include "tests/fuzz/fuzz.h"
#include "train/checkpoint/stored_weights.h"

namespace bertha {
namespace {

/// The path of a file with one empty tensor.
std::string file_with(const std::string& tensor) {
  const std::string header = "{\"" + tensor + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})";
  std::string bytes(sizeof(uint64_t), '\0');
  bytes[0] = static_cast<char>(header.size());
  return file_of(tensor + ".safetensors", bytes + header);
}

void read(std::string_view bytes) {
  static const std::set<std::string> files = {file_with("a"), file_with("b")};
  const StoredWeights weights(file_of(std::string(kWeightsIndexName), bytes));
  for (const StoredWeight& weight : weights.tensors()) {
    require(weights.find(weight.name()) != nullptr, "a tensor is found by its name");
    require(files.contains(weight.file->path()), "a tensor is in a file beside the index");
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
