#include "data/wordpiece.h"

#include "tests/fuzz/encoded_text.h"

namespace bertha {
namespace {

WordPiece tokenizer(bool lowercase) {
  return {Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "ab", "##a", "##b", "##ab", "\xC3\xA9",
                      "##\xC3\xA9", "e", "##e", ".", "\xE4\xB8\x80", "##\xCC\x81", "##"},
                     "test"),
          lowercase};
}

void read(const WordPiece& wordpiece, std::string_view input) {
  std::vector<int32_t> ids;
  wordpiece.append_ids(input, ids);
  const Encoding encoding = wordpiece.encode(input, {}, {});
  require(std::equal(ids.begin(), ids.end(), encoding.ids.begin() + 1, encoding.ids.end() - 1),
          "both ways of encoding give the same tokens");
  encode_input(wordpiece, input);
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  static const WordPiece uncased = tokenizer(true), cased = tokenizer(false);
  read_or_refuse([&] { read(uncased, text_of(data, size)); });
  read_or_refuse([&] { read(cased, text_of(data, size)); });
  return 0;
}
