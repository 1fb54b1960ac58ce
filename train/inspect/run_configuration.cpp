#include "train/inspect/run_configuration.h"

#include "data/file.h"
#include "data/shard_manifest.h"
#include "train/config_tree.h"

namespace bertha {
namespace {

constexpr uint64_t kLargest = 64 << 10;  // as configurations may be

bool is_pretraining(const ConfigNode& root) {
  const ConfigNode* task = root.find("task");
  return task && (task->text == to_string(Objective::kMlm) || task->text == to_string(Objective::kMlmNsp));
}

}  // namespace

RunConfiguration read_run_configuration(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kRunConfigurationName);
  RunConfiguration configuration{read_text(path, kLargest), {}, {}};
  if (is_pretraining(parse_config(configuration.yaml, path))) {
    configuration.pretraining = parse_pretrain_config(configuration.yaml, path, {});
  } else {
    configuration.finetuning = parse_finetune_config(configuration.yaml, path, {});
  }
  return configuration;
}

}  // namespace bertha
