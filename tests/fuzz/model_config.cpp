#include "tests/fuzz/fuzz.h"
#include "train/model_description.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  file_of("config.json", text_of(data, size));
  read_or_refuse([] { task_head(read_model_description(fuzz_folder().path())); });
  return 0;
}
