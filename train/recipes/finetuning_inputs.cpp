#include "train/recipes/finetuning_inputs.h"

#include <algorithm>

#include "train/layer_decay.h"
#include "train/model_directory.h"
#include "train/recipes/run_setup.h"
#include "train/recipes/task_file.h"
#include "train/recipes/task_report.h"

namespace bertha {
namespace {

bool holds_all(std::span<const std::string> labels, std::span<const std::string> wanted) {
  return std::ranges::all_of(wanted, [&](const std::string& label) {
    return std::ranges::count(labels, label) > 0 || std::ranges::count(labels, unnamed_label(label)) > 0;
  });
}

// Whether a model decides what this task asks, among its labels or more; the name of a score says nothing.
bool decides(const ModelDescription& model, const TaskDescription& task) {
  const bool knows_labels = task.task == Task::kRegression || holds_all(model.task.labels, task.labels);
  return model.head == head_of(task.task) && model.task.task == task.task && knows_labels &&
         holds_all(model.task.slots, task.slots);
}

// The labels of a model that decides the task, in its order.
void take_labels(TaskDescription& task, const TaskDescription& model) {
  task.labels = model.labels;
  task.slots = model.slots;
  task.unanswerable |= model.unanswerable;
}

void check_layers(const FinetuneConfig& config, int64_t layers) {
  for (const int64_t layer : config.model.keep_layers) {
    check<ConfigError>(layer < layers, "model.keep_layers: ", layer, " (the model has layers 0 to ", layers - 1, ")");
  }
}

// The given model's encoder with the task of the configuration, and the labels of its training file as the teacher has
// them, or the given model.
ModelDescription describe(const FinetuneConfig& config, const ModelDescription& given, const ModelDescription* teacher,
                          const TaskFile& train, bool& keeps_head) {
  ModelDescription description;
  description.config = given.config;
  description.head = head_of(config.task);
  TaskDescription& task = description.task;
  task.task = config.task;
  task.columns = config.data.columns;
  task.sequence_length = config.data.sequence_length;
  task.stride = config.task == Task::kQuestionAnswering ? config.data.stride : 0;
  learn_labels(train, task);
  if (teacher) {
    check<MismatchError>(decides(*teacher, task), config.distillation.teacher,
                         ": was fine-tuned for another task or other labels than this run's");
    take_labels(task, teacher->task);
  }
  const bool same_order = given.task.labels == task.labels && given.task.slots == task.slots;
  keeps_head = decides(given, task) && (!teacher || same_order);
  if (keeps_head) take_labels(task, given.task);
  if (!config.model.keep_layers.empty()) {
    check_layers(config, given.config.num_hidden_layers);
    description.config.num_hidden_layers = std::ssize(config.model.keep_layers);
  }
  return description;
}

std::optional<ModelDescription> describe_teacher(const FinetuneConfig& config) {
  if (config.distillation.teacher.empty()) return std::nullopt;
  return read_model_description(config.distillation.teacher);
}

Teacher read_teacher(const FinetuneConfig& config, const ModelDescription& teacher, const Tokenizer& tokenizer) {
  const DistillationSection& distillation = config.distillation;
  check<MismatchError>(read_tokenizer(distillation.teacher, teacher.config)->hash() == tokenizer.hash(),
                       distillation.teacher, ": has another tokenizer than the student");
  check_fits_model(teacher.config, config.data.sequence_length);
  return Teacher{read_task_model(distillation.teacher, teacher), distillation.temperature, distillation.weight};
}

int64_t steps_of_epoch(const FinetuneConfig& config, int64_t examples) {
  return (examples + config.training.global_batch_size - 1) / config.training.global_batch_size;
}

}  // namespace

std::vector<const TaskSet*> FinetuningInputs::sets() const {
  std::vector<const TaskSet*> all = {&train};
  if (validation) all.push_back(&*validation);
  if (test) all.push_back(&*test);
  return all;
}

FinetuningInputs read_finetuning_inputs(const FinetuneConfig& config) {
  check_precision(config.training);
  const std::string& directory = config.model.initialize_from;
  const ModelDescription given = read_model_description(directory);
  check_fits_model(given.config, config.data.sequence_length);
  const std::optional<ModelDescription> teacher = describe_teacher(config);
  FinetuningInputs inputs;
  inputs.tokenizer = read_tokenizer(directory, given.config);
  const TaskFile train = read_task_file(config.data.train, config.task);
  inputs.description = describe(config, given, teacher ? &*teacher : nullptr, train, inputs.keeps_head);
  const TaskDescription& task = inputs.description.task;
  inputs.train = encode_task_file(train, task, *inputs.tokenizer);
  const auto read = [&](const std::string& path, std::optional<TaskFile>& file, std::optional<TaskSet>& set) {
    if (path.empty()) return;
    file = read_task_file(path, config.task);
    set = encode_task_file(*file, task, *inputs.tokenizer);
  };
  read(config.data.validation, inputs.validation_file, inputs.validation);
  read(config.data.test, inputs.test_file, inputs.test);
  if (teacher) inputs.teacher = read_teacher(config, *teacher, *inputs.tokenizer);
  return inputs;
}

std::vector<std::string> initialize(BertForTask& model, const FinetuneConfig& config, const FinetuningInputs& inputs) {
  const std::string& directory = config.model.initialize_from;
  if (inputs.keeps_head && config.model.keep_layers.empty()) {
    read_model_weights(directory, model.parameters());
    return {"going on with the head and labels of " + directory};
  }
  const OutputLayer output_layer = inputs.keeps_head ? OutputLayer::kTaken : OutputLayer::kNew;
  return initialize_from(directory, config.model.keep_layers, output_layer, static_cast<uint64_t>(config.training.seed),
                         model.config().initializer_range, model.parameters());
}

TrainerOptions finetuning_options(const FinetuneConfig& config, const FinetuningInputs& inputs, double peak_flops) {
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

}  // namespace bertha
