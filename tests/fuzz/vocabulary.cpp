#include "data/vocabulary.h"

#include "data/wordpiece.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(std::string_view bytes) {
  const WordPiece tokenizer(Vocabulary::read(file_of("vocab.txt", bytes)), /*lowercase=*/true);
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  for (int32_t id = 0; id < vocabulary.size(); ++id)
    require(vocabulary.find(vocabulary.token(id)) == id, "a token is found by its text");
  vocabulary.write(fuzz_folder() / "again.txt");
  require(Vocabulary::read(fuzz_folder() / "again.txt").hash() == vocabulary.hash(), "it is read as it was written");
  for (const int32_t id : tokenizer.encode("a text\xC3\xA9 ##b", {}, {}).ids)
    require(id >= 0 && id < vocabulary.size(), "ids are in the vocabulary");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
