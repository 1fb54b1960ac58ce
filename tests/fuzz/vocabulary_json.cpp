#include "data/tokenizer_files.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(std::string_view bytes) {
  const std::vector<std::string> tokens = read_vocabulary_json(file_of("vocab.json", bytes));
  const std::string again = file_of("again.json", vocabulary_json(tokens));
  require(read_vocabulary_json(again) == tokens, "a vocabulary is read as it was written");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
