#include <array>

#include "data/tokenizer_files.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

/// The first byte says which of the three files the others are.
void read(std::string_view bytes) {
  static const std::array<std::string, 3> names = {"added_tokens.json", "special_tokens_map.json",
                                                   "tokenizer_config.json"};
  if (bytes.empty()) return;
  const size_t chosen = static_cast<unsigned char>(bytes[0]) % names.size();
  for (const std::string& name : names) file_of(name, name == names[chosen] ? bytes.substr(1) : "{}");
  for (const AddedToken& token : read_added_tokens(fuzz_folder().path()))
    require(!token.id || *token.id >= 0, "an id is not negative");
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bertha::read_or_refuse([&] { bertha::read(bertha::text_of(data, size)); });
  return 0;
}
