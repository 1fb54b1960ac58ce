#include "train/finetune_config.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  read_or_refuse([&] {
    const auto config = parse_finetune_config(std::string(text_of(data, size)), "file", {});
    const std::string printed = to_yaml(config);
    const auto again = parse_finetune_config(printed, "printed", {});
    require(differences(config, again).empty() && to_yaml(again) == printed, "what is printed reads back to the same");
  });
  return 0;
}
