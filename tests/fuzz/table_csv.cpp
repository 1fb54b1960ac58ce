#include "tests/fuzz/table.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  read_or_refuse([&] { read_table(file_of("table.csv", text_of(data, size))); });
  return 0;
}
