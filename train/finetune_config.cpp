#include "train/finetune_config.h"

#include <algorithm>
#include <set>

#include "autograd/core/error.h"

namespace bertha {

namespace {

const ConfigRange kSequenceLengths{8, 65535, "from 8 to 65535"};

ConfigChoice task_choice(Task& task) {
  ConfigChoice choice;
  for (const Task known : finetuning_tasks()) choice.names.push_back(task_name(known));
  choice.current = task_name(task);
  choice.choose = [&task](std::string_view name) { task = task_of(name); };
  return choice;
}

ConfigKey::Section data_keys(FinetuneDataSection& data) {
  return {
      {"train", &data.train},
      {"validation", &data.validation},
      {"test", &data.test},
      {"text_column", &data.columns.text},
      {"pair_column", &data.columns.pair},
      {"label_column", &data.columns.label},
      {"choice_columns", &data.columns.choices},
      {"intent_column", &data.columns.intent},
      {"slots_column", &data.columns.slots},
      {"sequence_length", &data.sequence_length, kSequenceLengths},
      {"stride", &data.stride, kAtLeastZero},
  };
}

ConfigKey::Section finetune_training_keys(FinetuneConfig& config) {
  const ConfigKey layer_decay{"layer_decay", &config.layer_decay, {1e-3, 1, "from 0.001 to 1"}};
  ConfigKey::Section keys = training_keys(config.training);
  keys.push_back(layer_decay);
  return keys;
}

ConfigKey::Section finetune_keys(FinetuneConfig& config) {
  return {
      {"model", ConfigKey::Section{{"initialize_from", &config.model.initialize_from},
                                   {"keep_layers", &config.model.keep_layers, kAtLeastZero}}},
      {"task", task_choice(config.task)},
      {"data", data_keys(config.data)},
      {"training", finetune_training_keys(config)},
      {"seeds", &config.seeds, kAtLeastZero},
      {"distillation", ConfigKey::Section{{"teacher", &config.distillation.teacher},
                                          {"temperature", &config.distillation.temperature, kAboveZero},
                                          {"weight", &config.distillation.weight, kZeroToOne}}},
      {"communication", communication_keys(config.communication)},
      {"spikes", spike_keys(config.spikes)},
      {"evaluation", ConfigKey::Section{{"every_steps", &config.evaluation.every_steps, kCount},
                                        {"patience", &config.evaluation.patience, kCount}}},
      {"checkpoint", checkpoint_keys(config.checkpoint)},
      {"output", &config.output},
  };
}

void check_data(const ConfigNode& root, const FinetuneConfig& config) {
  if (config.model.initialize_from.empty()) fail_missing_key(root, "'initialize_from' in 'model' (a model directory)");
  if (config.data.train.empty()) fail_missing_key(root, "'train' in 'data' (a file of examples)");
  if (config.task == Task::kMultipleChoice && config.data.columns.choices.size() < 2) {
    fail_missing_key(root, "'choice_columns' in 'data' (two columns or more, one a choice)");
  }
  if (config.task == Task::kQuestionAnswering && config.data.stride >= config.data.sequence_length) {
    fail<ConfigError>(place_of(root, {"data", "stride"}), ": stride ", config.data.stride,
                      " is not less than sequence_length ", config.data.sequence_length);
  }
  if (config.evaluation.patience && config.data.validation.empty()) {
    fail<ConfigError>(place_of(root, {"evaluation", "patience"}), ": 'patience' needs 'validation' in 'data'");
  }
}

void check_seeds(const ConfigNode& root, const FinetuneConfig& config) {
  const std::set<int64_t> different(config.seeds.begin(), config.seeds.end());
  if (different.size() != config.seeds.size()) {
    fail<ConfigError>(place_of(root, {"seeds"}), ": 'seeds' holds a number twice (each makes a run of its own)");
  }
}

FinetuneConfig resolve(ConfigNode root, std::span<const std::string> overrides) {
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  FinetuneConfig config;
  read_keys(root, finetune_keys(config));
  check_data(root, config);
  check_seeds(root, config);
  check_training(root, config.training);
  if (config.output.empty()) fail_missing_key(root, "'output' (the folder of the run)");
  fill_usual_columns(config.task, config.data.columns);
  return config;
}

}  // namespace

// Fine-tuning wants smaller steps than pretraining. Source: Devlin et al. 2018 (arXiv:1810.04805) appendix A.3.
FinetuneConfig::FinetuneConfig() {
  training.learning_rate = 5e-5;
  training.global_batch_size = 32;
}

FinetuneConfig load_finetune_config(const std::string& path, std::span<const std::string> overrides) {
  return resolve(read_config_file(path), overrides);
}

FinetuneConfig parse_finetune_config(const std::string& yaml, const std::string& origin,
                                     std::span<const std::string> overrides) {
  return resolve(parse_config(yaml, origin), overrides);
}

std::string to_yaml(const FinetuneConfig& config) {
  FinetuneConfig copy = config;  // the table holds addresses to fill
  return to_yaml(finetune_keys(copy));
}

std::vector<std::string> differences(const FinetuneConfig& before, const FinetuneConfig& after) {
  FinetuneConfig a = before, b = after;
  return differences(finetune_keys(a), finetune_keys(b));
}

}  // namespace bertha
