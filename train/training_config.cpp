#include "train/training_config.h"

#include <map>
#include <utility>

#include "autograd/core/error.h"

namespace bertha {

namespace {

constexpr std::pair<std::string_view, OptimizerKind> kOptimizers[]{{"adamw", OptimizerKind::kAdamW},
                                                                   {"lamb", OptimizerKind::kLamb}};
constexpr std::pair<std::string_view, ScheduleKind> kSchedules[]{
    {"linear", ScheduleKind::kLinear},
    {"polynomial", ScheduleKind::kPolynomial},
    {"cosine", ScheduleKind::kCosine},
    {"constant", ScheduleKind::kConstant},
    {"warmup_stable_decay", ScheduleKind::kWarmupStableDecay}};
constexpr std::pair<std::string_view, DType> kPrecisions[]{{"f32", DType::f32}, {"bf16", DType::bf16}};
constexpr std::pair<std::string_view, SpikeAction> kSpikeActions[]{{"none", SpikeAction::kNone},
                                                                   {"skip", SpikeAction::kSkip},
                                                                   {"rewind", SpikeAction::kRewind},
                                                                   {"stop", SpikeAction::kStop}};
const ConfigRange kSpikeWindows{3, 10'000, "from 3 to 10000"};

}  // namespace

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

ConfigKey::Section communication_keys(CommunicationSection& communication) {
  return {{"overlap", &communication.overlap},
          {"shard_optimizer", &communication.shard_optimizer},
          {"verify_every", &communication.verify_every, kAtLeastZero},
          {"stall_limit", &communication.stall_limit}};
}

ConfigKey::Section spike_keys(SpikeOptions& spikes) {
  return {{"action", choice_of<SpikeAction>(spikes.action, kSpikeActions)},
          {"threshold", &spikes.threshold, kAboveZero},
          {"window", &spikes.window, kSpikeWindows}};
}

ConfigKey::Section checkpoint_keys(CheckpointSection& checkpoint) {
  return {{"every_steps", &checkpoint.every_steps, kCount}, {"keep", &checkpoint.keep, kCount}};
}

ConfigPlace place_of(const ConfigNode& root, std::initializer_list<std::string_view> path) {
  const ConfigNode* node = &root;
  for (const std::string_view key : path) {
    const ConfigNode* next = node->find(key);
    if (next == nullptr) break;
    node = next;
  }
  return node->place;
}

void fail_missing_key(const ConfigNode& root, std::string_view what) {
  fail<ConfigError>(ConfigPlace{root.place.origin}, ": missing key ", what);
}

void check_not_both(const ConfigNode& root, std::string_view section, std::string_view a, std::string_view b) {
  const ConfigNode* keys = root.find(section);
  if (keys && keys->find(a) && keys->find(b))
    fail<ConfigError>(place_of(root, {section, b}), ": '", b, "' and '", a, "' in '", section,
                      "' exclude each other (the override ", section, ".", a, "=null leaves one out)");
}

void check_training(const ConfigNode& root, const TrainingSection& training) {
  if (!training.steps && !training.epochs && !training.time_budget)
    fail_missing_key(root, "'steps', 'epochs' or 'time_budget' in 'training'");
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

std::vector<std::string> differences(const ConfigKey::Section& before, const ConfigKey::Section& after) {
  std::map<std::string, std::pair<std::string, std::string>> values;
  for (auto& [path, value] : flatten(before)) values[path].first = value;
  for (auto& [path, value] : flatten(after)) values[path].second = value;
  std::vector<std::string> lines;
  const auto shown = [](const std::string& value) { return value.empty() ? "left out" : value; };
  for (const auto& [path, value] : values)
    if (value.first != value.second) lines.push_back(path + ": " + shown(value.first) + " -> " + shown(value.second));
  return lines;
}

}  // namespace bertha
