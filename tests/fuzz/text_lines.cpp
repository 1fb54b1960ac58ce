// Text to be sharded, as JSON lines and compressed.

#include <vector>

#include "data/text_file.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(const std::string& path) {
  const auto text = open_text(path);
  std::vector<char> buffer(1000);
  while (text->read(buffer) == buffer.size()) {
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  for (const char* name : {"text.jsonl", "text.jsonl.gz"})
    read_or_refuse([&] { read(file_of(name, text_of(data, size))); });
  return 0;
}
