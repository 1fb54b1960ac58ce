#include "train/checkpoint/safetensors.h"

#include <vector>

#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

template <class T>
void read_all(const SafetensorsFile& file, const StoredTensor& tensor) {
  std::vector<T> values(static_cast<size_t>(tensor.numel()));
  try {
    file.read(tensor.name, std::span(values));
  } catch (const MismatchError&) {  // of another type
  }
}

void read(std::string_view bytes) {
  const SafetensorsFile file(file_of("model.safetensors", bytes));
  uint64_t data_bytes = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    require(file.find(tensor.name) == &tensor, "a tensor is found by its name");
    require(tensor.offset <= bytes.size() && tensor.bytes <= bytes.size() - tensor.offset, "a tensor lies in its file");
    data_bytes += tensor.bytes;
    read_all<float>(file, tensor);
    read_all<double>(file, tensor);
    read_all<int64_t>(file, tensor);
  }
  require(data_bytes + sizeof(uint64_t) <= bytes.size(), "tensors share no byte");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
