#include "data/tasks/conll.h"

#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

void read(std::string_view bytes) {
  for (const TaggedSentence& sentence : read_conll(file_of("tags.conll", bytes)))
    require(!sentence.words.empty() && sentence.words.size() == sentence.tags.size(), "every word has a tag");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
