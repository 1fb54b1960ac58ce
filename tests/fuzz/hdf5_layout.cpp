#include "data/hdf5_layout.h"

#include "data/file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  const std::string path = file_of("file.hdf5", text_of(data, size));
  read_or_refuse([&] { check_hdf5_layout(InputFile(path)); });
  return 0;
}
