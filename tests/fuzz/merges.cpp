#include "data/byte_bpe.h"
#include "tests/data/small_byte_bpe.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(std::string_view bytes) {
  const std::string path = file_of("merges.txt", bytes);
  const ByteBpe tokenizer(SmallByteBpe::tokens(), read_merges(path), {}, path);
  const std::string text = "hello  world \xF0\x9F\x98\x80";
  require(tokenizer.decode(tokenizer.encode(text, {}, {}).ids) == text, "any merges give the text back");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
