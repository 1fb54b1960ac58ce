#include "data/byte_bpe.h"

#include "tests/data/small_byte_bpe.h"
#include "tests/fuzz/encoded_text.h"

namespace bertha {
namespace {

void read(const ByteBpe& tokenizer, std::string_view input) {
  encode_input(tokenizer, input);
  if (input.find('<') != input.npos) return;  // may begin a special token, which decoding leaves out
  require(tokenizer.decode(tokenizer.encode(input, {}, {}).ids) == input, "what is encoded is decoded");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  static const ByteBpe plain(SmallByteBpe::tokens(), SmallByteBpe::merges(), {false, true}, "test");
  static const ByteBpe prefixed(SmallByteBpe::tokens(), SmallByteBpe::merges(), {true, true}, "test");
  read_or_refuse([&] { read(plain, text_of(data, size)); });
  read_or_refuse([&] { encode_input(prefixed, text_of(data, size)); });
  return 0;
}
