#include "train/recipes/finetune.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "data/file.h"
#include "train/layer_decay.h"
#include "train/model_directory.h"
#include "train/rank_agreement.h"
#include "train/recipes/finetuning_task.h"
#include "train/recipes/run_setup.h"
#include "train/recipes/task_file.h"
#include "train/recipes/task_set.h"
#include "train/scores/mean_and_deviation.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

// Everything that a run needs besides its place: read, checked, and nothing written.
struct FinetuneInputs {
  ModelDescription description;
  std::unique_ptr<Tokenizer> tokenizer;
  TaskSet train;
  std::optional<TaskSet> validation, test;
  std::optional<Teacher> teacher;
  bool keeps_head = false;  // the model is fine-tuned for this task and these labels already
};

bool holds_all(std::span<const std::string> labels, std::span<const std::string> wanted) {
  return std::ranges::all_of(wanted, [&](const std::string& label) { return std::ranges::count(labels, label) > 0; });
}

void check_layers(const FinetuneConfig& config, int64_t layers) {
  for (const int64_t layer : config.model.keep_layers) {
    check<ConfigError>(layer < layers, "model.keep_layers: ", layer, " (the model has layers 0 to ", layers - 1, ")");
  }
}

// The given model's encoder with the task of the configuration and the labels of its training file.
ModelDescription describe(const FinetuneConfig& config, const ModelDescription& given, const TaskFile& train,
                          bool& keeps_head) {
  ModelDescription description;
  description.config = given.config;
  description.head = head_of(config.task);
  description.task.task = config.task;
  description.task.columns = config.data.columns;
  description.task.sequence_length = config.data.sequence_length;
  description.task.stride = config.task == Task::kQuestionAnswering ? config.data.stride : 0;
  learn_labels(train, description.task);
  keeps_head = given.head == description.head && given.task.task == config.task &&
               holds_all(given.task.labels, description.task.labels) &&
               holds_all(given.task.slots, description.task.slots);
  if (keeps_head) {
    description.task.labels = given.task.labels;
    description.task.slots = given.task.slots;
    description.task.unanswerable |= given.task.unanswerable;
  }
  if (!config.model.keep_layers.empty()) {
    check_layers(config, given.config.num_hidden_layers);
    description.config.num_hidden_layers = std::ssize(config.model.keep_layers);
  }
  return description;
}

// Whether outputs of the one are outputs of the other; the name of a score says nothing.
bool decides_alike(const TaskDescription& a, const TaskDescription& b) {
  const bool same_labels = a.task == Task::kRegression || a.labels == b.labels;
  return a.task == b.task && same_labels && a.slots == b.slots;
}

std::optional<Teacher> read_teacher(const FinetuneConfig& config, const ModelDescription& description,
                                    const Tokenizer& tokenizer) {
  const DistillationSection& distillation = config.distillation;
  if (distillation.teacher.empty()) return std::nullopt;
  const ModelDescription teacher = read_model_description(distillation.teacher);
  check<MismatchError>(teacher.head == description.head && decides_alike(teacher.task, description.task),
                       distillation.teacher, ": was fine-tuned for another task or other labels than this run's");
  check<MismatchError>(read_tokenizer(distillation.teacher, teacher.config)->hash() == tokenizer.hash(),
                       distillation.teacher, ": has another tokenizer than the student");
  check_fits_model(teacher.config, config.data.sequence_length);
  return Teacher{read_task_model(distillation.teacher, teacher), distillation.temperature, distillation.weight};
}

FinetuneInputs read_inputs(const FinetuneConfig& config) {
  check_precision(config.training);
  const std::string& directory = config.model.initialize_from;
  const ModelDescription given = read_model_description(directory);
  check_fits_model(given.config, config.data.sequence_length);
  FinetuneInputs inputs;
  inputs.tokenizer = read_tokenizer(directory, given.config);
  const TaskFile train = read_task_file(config.data.train, config.task);
  inputs.description = describe(config, given, train, inputs.keeps_head);
  const TaskDescription& task = inputs.description.task;
  inputs.train = encode_task_file(train, task, *inputs.tokenizer);
  const auto encode = [&](const std::string& path) -> std::optional<TaskSet> {
    if (path.empty()) return std::nullopt;
    return encode_task_file(read_task_file(path, config.task), task, *inputs.tokenizer);
  };
  inputs.validation = encode(config.data.validation);
  inputs.test = encode(config.data.test);
  inputs.teacher = read_teacher(config, inputs.description, *inputs.tokenizer);
  return inputs;
}

// What is to be said of it, a sentence each.
std::vector<std::string> initialize(BertForTask& model, const FinetuneConfig& config, const FinetuneInputs& inputs) {
  const std::string& directory = config.model.initialize_from;
  if (inputs.keeps_head && config.model.keep_layers.empty()) {
    read_model_weights(directory, model.parameters());
    return {"going on with the head and labels of " + directory};
  }
  return initialize_from(directory, config.model.keep_layers, static_cast<uint64_t>(config.training.seed),
                         model.config().initializer_range, model.parameters());
}

int64_t steps_of_epoch(const FinetuneConfig& config, int64_t examples) {
  return (examples + config.training.global_batch_size - 1) / config.training.global_batch_size;
}

TrainerOptions options_of(const FinetuneConfig& config, const FinetuneInputs& inputs, double peak_flops) {
  const int64_t examples = std::ssize(*inputs.train.examples);
  const int64_t steps = steps_of(config.training, examples);
  TrainerOptions options = trainer_options(config.training, config.communication, config.checkpoint, steps);
  if (config.layer_decay < 1) {
    options.optimizer.learning_rate_scale =
        layer_decay(inputs.description.config.num_hidden_layers, config.layer_decay);
  }
  options.spikes = config.spikes;
  options.evaluate_every = config.evaluation.every_steps.value_or(steps_of_epoch(config, examples));
  if (inputs.validation) options.deciding_metric = deciding_metric(config.task);
  options.patience = config.evaluation.patience;
  options.output = config.output;
  options.configuration = to_yaml(config);
  options.peak_flops = peak_flops;
  return options;
}

ordered_json to_json(const std::vector<std::pair<std::string, double>>& metrics) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : metrics) object[name] = value;
  return object;
}

std::string to_text(std::string_view title, const std::vector<std::pair<std::string, double>>& metrics,
                    const std::string& table) {
  if (metrics.empty()) return {};
  std::string text = fmt::format("{}\n", title);
  for (const auto& [name, value] : metrics) text += fmt::format("  {:<18}{:.4f}\n", name, value);
  return text + (table.empty() ? "\n" : "\n" + table + "\n");
}

// The best model takes the last one's place, and its scores are taken.
void finish(const FinetuneConfig& config, const FinetuneInputs& inputs, FinetuningTask& task, BertForTask& model,
            Communicator& communicator, FinetuneResult& result) {
  const std::string best = config.output + "/best";
  communicator.barrier();
  if (inputs.validation) read_weights(best, model.parameters());
  const auto report = [&](const std::optional<TaskSet>& set) -> TaskReport {
    if (!set) return {};
    return report_task(inputs.description.task, *set, evaluate_task(model, *set, communicator));
  };
  const TaskReport validation = report(inputs.validation);
  const TaskReport test = report(inputs.test);
  result.validation = validation.metrics;
  result.test = test.metrics;
  result.validation_table = validation.table;
  result.test_table = test.table;
  if (communicator.rank() != 0) return;
  write_durably(config.output + "/results.txt", to_text("validation", validation.metrics, validation.table) +
                                                    to_text("test", test.metrics, test.table));
  write_durably(
      config.output + "/results.json",
      ordered_json({{"validation", to_json(validation.metrics)}, {"test", to_json(test.metrics)}}).dump(2) + "\n");
  publish_model(config.output + "/model", task.model_content());
}

// Under the name of its part: validation and test.
std::map<std::string, std::vector<double>> metrics_of_seeds(std::span<const FinetuneResult> results,
                                                            std::vector<std::string>& order) {
  std::map<std::string, std::vector<double>> values;
  for (const FinetuneResult& result : results) {
    for (const auto& [part, metrics] : {std::pair("validation", result.validation), std::pair("test", result.test)}) {
      for (const auto& [name, value] : metrics) {
        const std::string key = std::string(part) + "." + name;
        if (values[key].empty()) order.push_back(key);
        values[key].push_back(value);
      }
    }
  }
  return values;
}

void write_summary(const FinetuneConfig& config, std::span<const FinetuneResult> results, const RunEvents& events) {
  std::vector<std::string> order;
  const auto values = metrics_of_seeds(results, order);
  ordered_json object = {{"seeds", config.seeds}};
  std::string text = fmt::format("{:<32}{:>10}{:>10}  seeds\n", "", "mean", "deviation");
  for (const std::string& key : order) {
    const MeanAndDeviation both = mean_and_deviation(values.at(key));
    object[key] = {{"mean", both.mean}, {"deviation", both.deviation}, {"values", values.at(key)}};
    text += fmt::format("{:<32}{:>10.4f}{:>10.4f} ", key, both.mean, both.deviation);
    for (const double value : values.at(key)) text += fmt::format(" {:.4f}", value);
    text += "\n";
  }
  write_durably(config.output + "/results.json", object.dump(2) + "\n");
  write_durably(config.output + "/results.txt", text);
  events.note(text);
}

}  // namespace

FinetuneResult finetune(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events) {
  require_agreement(communicator, build_identity());
  require_agreement(communicator, to_yaml(config));
  const bool reports = communicator.rank() == 0;
  FinetuneInputs inputs = read_inputs(config);
  const int64_t examples = std::ssize(*inputs.train.examples);
  const MicroSlices slices(config.training.global_batch_size, micro_batch_size(config.training, communicator.size()));
  rank_slices(slices.count(), communicator.rank(), communicator.size());
  const std::unique_ptr<RunLock> lock = open_output(config.output, communicator);
  communicator.barrier();
  require_agreement(communicator, fmt::format("data {:016x}", inputs.train.hash));

  BertForTask model(inputs.description.config, task_head(inputs.description));
  const std::vector<std::string> sentences = initialize(model, config, inputs);
  const auto seed = static_cast<uint64_t>(config.training.seed);
  const RunIdentity identity = {.model = config_json(inputs.description, *inputs.tokenizer),
                                .vocabulary_hash = inputs.tokenizer->hash(),
                                .data_hash = inputs.train.hash,
                                .seed = seed,
                                .global_batch_size = config.training.global_batch_size};
  FinetuningTask task(model, inputs.description, *inputs.tokenizer,
                      TrainingBatches(example_source(inputs.train.examples), seed, slices),
                      inputs.validation ? &*inputs.validation : nullptr, std::move(inputs.teacher), identity);
  const double peak_flops = measure_peak(config.training.precision, communicator);
  const TrainerOptions options = options_of(config, inputs, peak_flops);
  Trainer trainer(options, task, communicator, events);
  const int64_t first_step = trainer.resume();
  if (reports) {
    const auto changes_since = [&](const std::string& yaml) {
      return differences(parse_finetune_config(yaml, "configuration", {}), config);
    };
    note_changes(trainer.resumed_configuration(), changes_since, events);
    write_durably(config.output + "/config.yaml", options.configuration);
    for (const TaskSet* set :
         {&inputs.train, inputs.validation ? &*inputs.validation : nullptr, inputs.test ? &*inputs.test : nullptr}) {
      if (set) std::ranges::for_each(set->notes, events.note);
    }
    if (first_step == 0) std::ranges::for_each(sentences, events.note);
    events.note(fmt::format("{}: {} parameters, {} examples, {} steps of {}", task_name(config.task),
                            parameter_count(model.parameters()), examples, options.steps,
                            config.training.global_batch_size));
    note_machine(config.training.precision, peak_flops, communicator, events);
  }
  const double begin = steady_seconds();
  FinetuneResult result;
  result.outcome = trainer.run();
  result.training_s = steady_seconds() - begin;
  if (result.outcome == Trainer::Outcome::kStopped) {
    if (reports) note_stopped(config.output, events);
    return result;
  }
  finish(config, inputs, task, model, communicator, result);
  if (reports) {
    const auto best = trainer.best_step();
    events.note(fmt::format("{}: {}/model{}", trainer.steps_done() == first_step ? "this run is finished" : "finished",
                            config.output, best ? fmt::format(", best at step {}", *best) : ""));
    events.note(to_text("validation", result.validation, result.validation_table) +
                to_text("test", result.test, result.test_table));
  }
  return result;
}

Trainer::Outcome finetune_seeds(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events) {
  std::vector<FinetuneResult> results;
  for (const int64_t seed : config.seeds) {
    FinetuneConfig one = config;
    one.seeds.clear();
    one.training.seed = seed;
    one.output = fmt::format("{}/seed-{}", config.output, seed);
    if (communicator.rank() == 0) events.note(fmt::format("seed {}", seed));
    results.push_back(finetune(one, communicator, events));
    if (results.back().outcome == Trainer::Outcome::kStopped) return Trainer::Outcome::kStopped;
  }
  if (communicator.rank() == 0) write_summary(config, results, events);
  return Trainer::Outcome::kFinished;
}

std::vector<std::string> plan_finetuning(const FinetuneConfig& config, int ranks) {
  const FinetuneInputs inputs = read_inputs(config);
  BertForTask model(inputs.description.config, task_head(inputs.description));
  std::vector<std::string> lines = initialize(model, config, inputs);
  const MicroSlices slices(config.training.global_batch_size, micro_batch_size(config.training, ranks));
  const int64_t examples = std::ssize(*inputs.train.examples);
  const IndexRange most = rank_slices(slices.count(), 0, ranks);
  lines.insert(lines.begin(), fmt::format("model: {} parameters", parameter_count(model.parameters())));
  lines.push_back(fmt::format("data: {} examples of {} items", examples, inputs.train.items));
  for (const auto& [name, set] : {std::pair("validation", &inputs.validation), std::pair("test", &inputs.test)}) {
    if (*set) lines.push_back(fmt::format("{}: {} items", name, (*set)->items));
  }
  if (!inputs.description.task.labels.empty()) {
    lines.push_back("labels: " + listed(inputs.description.task.labels, 20));
  }
  lines.insert(lines.end(), inputs.train.notes.begin(), inputs.train.notes.end());
  lines.push_back(fmt::format("step: {} examples in {} micro-slices of up to {}, at most {} on each of {} ranks",
                              config.training.global_batch_size, slices.count(), slices.at(0).size(), most.size(),
                              ranks));
  lines.push_back(fmt::format("length: {} steps", steps_of(config.training, examples)));
  return lines;
}

}  // namespace bertha
