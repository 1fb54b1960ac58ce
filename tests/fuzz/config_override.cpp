#include "tests/fuzz/fuzz.h"
#include "train/config_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bertha;
  ConfigNode root = parse_config("training: {steps: 1, betas: [1, 2]}\nmodel:\n", "file");
  try {
    apply_override(root, std::string(text_of(data, size)));
  } catch (const ConfigError&) {  // whose sentence begins with the override as it was given
  }
  return 0;
}
