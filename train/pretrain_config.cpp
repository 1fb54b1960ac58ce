#include "train/pretrain_config.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "autograd/core/error.h"
#include "train/config_keys.h"
#include "train/config_tree.h"

namespace bertha {

namespace {

constexpr std::pair<std::string_view, Objective> kTasks[]{{"mlm", Objective::kMlm}, {"mlm_nsp", Objective::kMlmNsp}};
const ConfigRange kSequenceLengths{3, 65535, "from 3 to 65535"};  // [CLS] token [SEP]; a shard's offsets have 16 bits

/// Choosing a preset sets all sizes, so this key comes before the published ones, which change single sizes of it.
ConfigChoice preset_choice(ModelSection& model) {
  const auto names = preset_names();
  return {{names.begin(), names.end()}, model.preset, [&model](std::string_view name) {
            model.preset = name;
            model.config = preset(name);
          }};
}

ConfigChoice activation_choice(BertConfig& config) {
  const auto names = activation_names();
  return {
      {names.begin(), names.end()}, config.hidden_act, [&config](std::string_view name) { config.hidden_act = name; }};
}

ConfigKey::Section model_keys(ModelSection& model) {
  const ConfigKey initialize_from{"initialize_from", &model.initialize_from};
  if (!model.initialize_from.empty()) return {initialize_from};  // when printing: the directory says the rest
  BertConfig& c = model.config;
  return {
      initialize_from,
      {"preset", preset_choice(model)},
      {"vocab_size", &c.vocab_size, kCount},
      {"hidden_size", &c.hidden_size, kCount},
      {"num_hidden_layers", &c.num_hidden_layers, kCount},
      {"num_attention_heads", &c.num_attention_heads, kCount},
      {"intermediate_size", &c.intermediate_size, kCount},
      {"max_position_embeddings", &c.max_position_embeddings, kCount},
      {"type_vocab_size", &c.type_vocab_size, kCount},
      {"hidden_act", activation_choice(c)},
      {"hidden_dropout_prob", &c.hidden_dropout_prob, kZeroToBelowOne},
      {"attention_probs_dropout_prob", &c.attention_probs_dropout_prob, kZeroToBelowOne},
      {"layer_norm_eps", &c.layer_norm_eps, kAboveZero},
      {"initializer_range", &c.initializer_range, kAboveZero},
  };
}

ConfigKey::Section data_keys(DataSection& data) {
  return {
      {"text", &data.text},
      {"shards", &data.shards},
      {"evaluation_text", &data.evaluation_text},
      {"vocab", &data.vocab},
      {"lowercase", &data.lowercase},
      {"sequence_length", &data.sequence_length, kSequenceLengths},
  };
}

ConfigKey::Section masking_keys(MaskingOptions& masking) {
  return {
      {"probability", &masking.probability, kZeroToOne},
      {"mask", &masking.mask, kZeroToOne},
      {"random", &masking.random, kZeroToOne},
      {"keep", &masking.keep, kZeroToOne},
      {"whole_word", &masking.whole_word},
  };
}

ConfigKey::Section pretrain_keys(PretrainConfig& config) {
  return {
      {"model", model_keys(config.model)},
      {"task", choice_of<Objective>(config.task, kTasks)},
      {"data", data_keys(config.data)},
      {"masking", masking_keys(config.masking)},
      {"training", training_keys(config.training)},
      {"communication", communication_keys(config.communication)},
      {"spikes", spike_keys(config.spikes)},
      {"evaluation", ConfigKey::Section{{"every_steps", &config.evaluation.every_steps, kCount}}},
      {"checkpoint", checkpoint_keys(config.checkpoint)},
      {"output", &config.output},
  };
}

// ---- What takes more than one key to see ----

void check_model(const ConfigNode& root, const ModelSection& model) {
  const ConfigNode* keys = root.find("model");
  if (keys == nullptr || std::ranges::none_of(keys->entries, [keys](const auto& e) { return keys->find(e.key); }))
    fail_missing_key(root, "'model' (a preset, the published keys or initialize_from)");
  for (const ConfigEntry& entry : keys->entries)
    if (entry.key != "initialize_from") check_not_both(root, "model", entry.key, "initialize_from");
  if (model.initialize_from.empty()) {
    std::ostringstream where;
    where << keys->place << ": 'model'";
    validate(model.config, where.str());
  }
}

void check_data(const ConfigNode& root, const PretrainConfig& config) {
  const DataSection& data = config.data;
  if (data.text.empty() && data.shards.empty()) fail_missing_key(root, "'text' or 'shards' in 'data'");
  check_not_both(root, "data", "text", "shards");
  if (data.text.empty() && data.vocab.empty() && config.model.initialize_from.empty())
    fail_missing_key(root, "'vocab' in 'data' (shards alone leave nothing to learn a vocabulary from)");
  const int64_t positions = config.model.config.max_position_embeddings;
  if (config.model.initialize_from.empty() && data.sequence_length > positions)
    fail<ConfigError>(place_of(root, {"data", "sequence_length"}), ": sequence_length ", data.sequence_length,
                      " is more than the model's max_position_embeddings ", positions);
}

void check_masking(const ConfigNode& root, const MaskingOptions& masking) {
  const double sum = masking.mask + masking.random + masking.keep;
  check<ConfigError>(std::abs(sum - 1) < 1e-6, place_of(root, {"masking"}), ": mask ", masking.mask, " + random ",
                     masking.random, " + keep ", masking.keep, " is ", sum, " (expected 1)");
}

PretrainConfig resolve(ConfigNode root, std::span<const std::string> overrides) {
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  PretrainConfig config;
  read_keys(root, pretrain_keys(config));
  check_model(root, config.model);
  check_data(root, config);
  check_masking(root, config.masking);
  check_training(root, config.training);
  if (config.output.empty()) fail_missing_key(root, "'output' (the folder of the run)");
  if (config.training.steps && !config.training.warmup_steps)
    config.training.warmup_steps = *config.training.steps / 10;
  return config;
}

}  // namespace

PretrainConfig load_pretrain_config(const std::string& path, std::span<const std::string> overrides) {
  return resolve(read_config_file(path), overrides);
}

PretrainConfig parse_pretrain_config(const std::string& yaml, const std::string& origin,
                                     std::span<const std::string> overrides) {
  return resolve(parse_config(yaml, origin), overrides);
}

std::string to_yaml(const PretrainConfig& config) {
  PretrainConfig copy = config;  // the table holds addresses to fill
  return to_yaml(pretrain_keys(copy));
}

std::vector<std::string> differences(const PretrainConfig& before, const PretrainConfig& after) {
  PretrainConfig a = before, b = after;
  return differences(pretrain_keys(a), pretrain_keys(b));
}

}  // namespace bertha
