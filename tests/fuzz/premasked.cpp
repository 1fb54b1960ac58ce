// Sound HDF5 files that hold any values: what the library makes of other files is the business of a process of its own.

#include <filesystem>

#include "data/premasked_set.h"
#include "tests/data/premasked_file.h"
#include "tests/fuzz/fuzz.h"

namespace bertha {
namespace {

constexpr int64_t kVocabulary = 12;

/// Two samples of eight tokens whose values the input changes one by one: pairs of a place and a value.
PremaskedFile changed(std::string_view input) {
  PremaskedFile file = two_samples();
  for (size_t at = 0; at + 1 < input.size(); at += 2) {
    size_t place = static_cast<unsigned char>(input[at]);
    for (auto& [name, table] : file) {
      if (place < table.values.size()) {
        table.values[place] = static_cast<signed char>(input[at + 1]);
        break;
      }
      place -= table.values.size();
    }
  }
  return file;
}

void read(Objective objective) {
  PremaskedSet set(fuzz_folder() / "masked", kVocabulary, objective, check_premasked_file);
  for (int64_t i = 0; i < set.size(); ++i) {
    const MaskedSequence sample = set.sample(i);
    for (const int32_t id : sample.sequence.ids) require(id >= 0 && id < kVocabulary, "ids are in the vocabulary");
    for (const int32_t position : sample.positions)
      require(position > 0 && position < std::ssize(sample.sequence.ids), "masks lie in their sample");
  }
}

}  // namespace
}  // namespace bertha

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  std::filesystem::create_directories(fuzz_folder() / "masked");
  write_premasked(fuzz_folder() / "masked/a.hdf5", changed(text_of(data, size)));
  read_or_refuse([] { read(Objective::kMlm); });
  read_or_refuse([] { read(Objective::kMlmNsp); });
  return 0;
}
