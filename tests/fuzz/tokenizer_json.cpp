#include "data/tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(std::string_view bytes) {
  const auto tokenizer = read_tokenizer(file_of("tokenizer.json", bytes));
  for (const int32_t id : tokenizer->encode("a text <mask> [MASK]", "b", {}).ids)
    require(id >= 0 && id < tokenizer->size(), "ids are in the vocabulary");
  tokenizer->files(512);
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
