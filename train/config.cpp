#include "train/config.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <sstream>

#include "autograd/core/error.h"
#include "train/config_keys.h"
#include "train/config_tree.h"

namespace bertha {

namespace {

constexpr std::pair<std::string_view, Objective> kTasks[]{{"mlm", Objective::kMlm}, {"mlm_nsp", Objective::kMlmNsp}};
constexpr std::pair<std::string_view, OptimizerKind> kOptimizers[]{{"adamw", OptimizerKind::kAdamW},
                                                                   {"lamb", OptimizerKind::kLamb}};
constexpr std::pair<std::string_view, ScheduleKind> kSchedules[]{
    {"linear", ScheduleKind::kLinear},
    {"polynomial", ScheduleKind::kPolynomial},
    {"cosine", ScheduleKind::kCosine},
    {"constant", ScheduleKind::kConstant},
    {"warmup_stable_decay", ScheduleKind::kWarmupStableDecay}};
constexpr std::pair<std::string_view, DType> kPrecisions[]{{"f32", DType::f32}, {"bf16", DType::bf16}};

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

ConfigKey::Section training_keys(TrainingSection& training) {
  return {
      {"steps", &training.steps, kCount},
      {"epochs", &training.epochs, kCount},
      {"time_budget", &training.time_budget},
      {"global_batch_size", &training.global_batch_size, kCount},
      {"micro_batch_size", &training.micro_batch_size, kCount},
      {"optimizer", choice_of<OptimizerKind>(training.optimizer, kOptimizers)},
      {"learning_rate", &training.learning_rate, kAboveZero},
      {"betas", &training.betas, kZeroToBelowOne},
      {"epsilon", &training.epsilon, kAboveZero},
      {"warmup_steps", &training.warmup_steps, kAtLeastZero},
      {"schedule", choice_of<ScheduleKind>(training.schedule, kSchedules)},
      {"weight_decay", &training.weight_decay, kAtLeastZero},
      {"clip_grad_norm", &training.clip_grad_norm, kAtLeastZero},
      {"precision", choice_of<DType>(training.precision, kPrecisions)},
      {"recompute", &training.recompute},
      {"seed", &training.seed, kAtLeastZero},
      {"deterministic", &training.deterministic},
  };
}

ConfigKey::Section pretrain_keys(PretrainConfig& config) {
  return {
      {"model", model_keys(config.model)},
      {"task", choice_of<Objective>(config.task, kTasks)},
      {"data", data_keys(config.data)},
      {"masking", masking_keys(config.masking)},
      {"training", training_keys(config.training)},
      {"communication", ConfigKey::Section{{"overlap", &config.communication.overlap},
                                           {"shard_optimizer", &config.communication.shard_optimizer}}},
      {"evaluation", ConfigKey::Section{{"every_steps", &config.evaluation.every_steps, kCount}}},
      {"checkpoint", ConfigKey::Section{{"every_steps", &config.checkpoint.every_steps, kCount},
                                        {"keep", &config.checkpoint.keep, kCount}}},
      {"output", &config.output},
  };
}

// ---- What takes more than one key to see ----

/// The place of the last key of `path` that is there.
ConfigPlace place_of(const ConfigNode& root, std::initializer_list<std::string_view> path) {
  const ConfigNode* node = &root;
  for (const std::string_view key : path) {
    const ConfigNode* next = node->find(key);
    if (next == nullptr) break;
    node = next;
  }
  return node->place;
}

[[noreturn]] void fail_missing(const ConfigNode& root, std::string_view what) {
  fail<ConfigError>(ConfigPlace{root.place.origin}, ": missing key ", what);
}

/// Refuses both of two keys of which one makes the other void.
void check_not_both(const ConfigNode& root, std::string_view section, std::string_view a, std::string_view b) {
  const ConfigNode* keys = root.find(section);
  if (keys && keys->find(a) && keys->find(b))
    fail<ConfigError>(place_of(root, {section, b}), ": '", b, "' and '", a, "' in '", section,
                      "' exclude each other (the override ", section, ".", a, "=null leaves one out)");
}

void check_model(const ConfigNode& root, const ModelSection& model) {
  const ConfigNode* keys = root.find("model");
  if (keys == nullptr || std::ranges::none_of(keys->entries, [keys](const auto& e) { return keys->find(e.key); }))
    fail_missing(root, "'model' (a preset, the published keys or initialize_from)");
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
  if (data.text.empty() && data.shards.empty()) fail_missing(root, "'text' or 'shards' in 'data'");
  check_not_both(root, "data", "text", "shards");
  if (data.text.empty() && data.vocab.empty() && config.model.initialize_from.empty())
    fail_missing(root, "'vocab' in 'data' (shards alone leave nothing to learn a vocabulary from)");
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

void check_training(const ConfigNode& root, const TrainingSection& training) {
  if (!training.steps && !training.epochs && !training.time_budget)
    fail_missing(root, "'steps', 'epochs' or 'time_budget' in 'training'");
  check_not_both(root, "training", "steps", "epochs");
  check_not_both(root, "training", "steps", "time_budget");
  check_not_both(root, "training", "epochs", "time_budget");
  if (training.time_budget && training.deterministic)
    fail<ConfigError>(place_of(root, {"training", "time_budget"}),
                      ": 'time_budget' and 'deterministic: true' in 'training' exclude each other (a clock never runs "
                      "twice the same)");
  if (training.steps && training.warmup_steps > training.steps)
    fail<ConfigError>(place_of(root, {"training", "warmup_steps"}), ": warmup_steps ", *training.warmup_steps,
                      " is more than steps ", *training.steps);
  if (training.micro_batch_size > training.global_batch_size)
    fail<ConfigError>(place_of(root, {"training", "micro_batch_size"}), ": micro_batch_size ",
                      *training.micro_batch_size, " is more than global_batch_size ", training.global_batch_size);
}

PretrainConfig resolve(ConfigNode root, std::span<const std::string> overrides) {
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  PretrainConfig config;
  read_keys(root, pretrain_keys(config));
  check_model(root, config.model);
  check_data(root, config);
  check_masking(root, config.masking);
  check_training(root, config.training);
  if (config.output.empty()) fail_missing(root, "'output' (the folder of the run)");
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
  std::map<std::string, std::pair<std::string, std::string>> values;
  for (auto& [path, value] : flatten(pretrain_keys(a))) values[path].first = value;
  for (auto& [path, value] : flatten(pretrain_keys(b))) values[path].second = value;
  std::vector<std::string> lines;
  const auto shown = [](const std::string& value) { return value.empty() ? "left out" : value; };
  for (const auto& [path, value] : values)
    if (value.first != value.second) lines.push_back(path + ": " + shown(value.first) + " -> " + shown(value.second));
  return lines;
}

}  // namespace bertha
