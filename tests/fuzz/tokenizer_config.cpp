#include "data/tokenizer_files.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  read_or_refuse([&] { read_tokenizer_config(file_of("tokenizer_config.json", text_of(data, size))); });
  return 0;
}
