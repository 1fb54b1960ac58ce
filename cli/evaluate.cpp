#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "autograd/core/parallel.h"
#include "cli/commands.h"
#include "data/file.h"
#include "data/sequence_source.h"
#include "data/sharder.h"
#include "train/comm/communicator.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_evaluation.h"
#include "train/recipes/task_evaluation.h"
#include "train/recipes/task_file.h"
#include "train/recipes/task_set.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int64_t kDefaultLength = 128;
constexpr int64_t kIgnored = -100;  // the label of a token that is not predicted

struct EvaluateOptions {
  std::string model, data, predictions;
  std::optional<int64_t> sequence_length, stride;
  std::optional<Task> task;
  TaskColumns columns;
  bool json = false;
};

// A directory that rank 0 makes and removes again.
class TemporaryShards {
 public:
  explicit TemporaryShards(Communicator& communicator) {
    if (communicator.rank() == 0) {
      owned_ = (fs::temp_directory_path() / "bertha-evaluate-XXXXXX").string();
      check<Error>(mkdtemp(owned_.data()) != nullptr, owned_, ": cannot be made");
    }
    path_ = communicator.all_gather(owned_).front();
  }
  ~TemporaryShards() {
    std::error_code ignored;
    if (!owned_.empty()) fs::remove_all(owned_, ignored);
  }
  TemporaryShards(const TemporaryShards&) = delete;
  TemporaryShards& operator=(const TemporaryShards&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_, owned_;
};

// The heads decide what is measured; a task or a file that takes others is a mistake.
void check_task(const EvaluateOptions& options, const BertForPretraining& model) {
  check<MismatchError>(!options.task || head_of(*options.task) == model.heads(), options.model,
                       ": was not trained for this task");
  check<MismatchError>(options.predictions.empty() || model.heads() != Head::kNextSentence, options.model,
                       ": has no masked-LM head, whose losses --predictions writes");
}

void make_shards(const std::string& directory, const EvaluateOptions& options, const BertForPretraining& model,
                 const Tokenizer& tokenizer, Communicator& communicator) {
  ShardOptions shard_options;
  shard_options.files = {options.data};
  shard_options.directory = directory;
  shard_options.objective = model.heads() == Head::kMlm ? Objective::kMlm : Objective::kMlmNsp;
  shard_options.sequence_length =
      options.sequence_length.value_or(std::min(kDefaultLength, model.config().longest_sequence()));
  shard_options.jobs = num_threads();
  shard_options.rank = communicator.rank();
  shard_options.world_size = communicator.size();
  shard_options.barrier = [&] { communicator.barrier(); };
  shard_corpus(shard_options, tokenizer, [](const ShardProgress&) {});
}

void check_shards(const ShardSet& shards, const EvaluateOptions& options, const BertForPretraining& model,
                  const Tokenizer& tokenizer) {
  check<MismatchError>(shards.vocabulary_hash() == tokenizer.hash() && shards.lowercase() == tokenizer.lowercase(),
                       options.data, ": was made with another vocabulary or casing than the model's");
  check<MismatchError>(shards.sequence_length() <= model.config().longest_sequence(), options.data, ": sequences of ",
                       shards.sequence_length(), " tokens (the model has ", model.config().longest_sequence(),
                       " positions)");
  check<MismatchError>(model.heads() == Head::kMlm || shards.objective() == Objective::kMlmNsp, options.data,
                       ": holds no sentence pairs (the model has a next-sentence head)");
}

// One object a sequence: {"input_ids", "labels", "loss"}; the loss is the mean over its labels, 0 without any.
void append_predictions(std::string& lines, const PackedBatch& batch, std::span<const double> mlm_rows) {
  size_t next = 0;
  for (int64_t s = 0; s < batch.sequences(); ++s) {
    const int32_t begin = batch.cu_seqlens[static_cast<size_t>(s)];
    const int32_t end = batch.cu_seqlens[static_cast<size_t>(s) + 1];
    std::vector<int64_t> labels(static_cast<size_t>(end - begin), kIgnored);
    double loss = 0;
    int64_t count = 0;
    for (; next < batch.labelled_rows.size() && batch.labelled_rows[next] < end; ++next, ++count) {
      labels[static_cast<size_t>(batch.labelled_rows[next] - begin)] = batch.row_labels[next];
      loss += mlm_rows[next];
    }
    const std::vector<int32_t> ids(batch.input_ids.begin() + begin, batch.input_ids.begin() + end);
    ordered_json object = {{"input_ids", ids}, {"labels", labels}};
    if (!batch.sequence_labels.empty()) {
      object["token_type_ids"] = std::vector<int32_t>(batch.type_ids.begin() + begin, batch.type_ids.begin() + end);
      object["next_sentence_label"] = batch.sequence_labels[static_cast<size_t>(s)];
    }
    object["loss"] = count ? loss / static_cast<double>(count) : 0.0;
    lines += object.dump() + "\n";
  }
}

// The ranks' lines in the order of the sequences.
void write_predictions(const std::string& path, const std::string& lines, Communicator& communicator) {
  const std::vector<std::string> all = communicator.all_gather(lines);
  if (communicator.rank() != 0) return;
  std::ofstream file(path, std::ios::binary);
  for (const std::string& part : all) file << part;
  check<Error>(file.flush().good(), path, ": cannot be written");
}

// A model may have been meant to keep them.
void note_unused_weights(const std::string& directory, const ParameterStore& parameters) {
  const std::vector<std::string> unused = unused_weights(directory, parameters);
  if (!unused.empty()) fmt::print(stderr, "not used, of {}: {}\n", directory, fmt::join(unused, ", "));
}

void print_metrics(const std::vector<std::pair<std::string, double>>& metrics, bool as_json) {
  ordered_json object;
  for (const auto& [name, value] : metrics) {
    object[name] = value;
    if (!as_json) fmt::print("{:<16} {:.6f}\n", name, value);
  }
  if (as_json) fmt::print("{}\n", object.dump());
}

void evaluate_pretrained(const EvaluateOptions& options, Communicator& communicator) {
  const auto model = read_model(options.model);
  check_task(options, *model);
  const auto tokenizer = read_tokenizer(options.model, model->config());
  const Masker masker({}, *tokenizer);
  std::optional<TemporaryShards> made;
  if (!fs::is_directory(options.data)) {
    made.emplace(communicator);
    make_shards(made->path(), options, *model, *tokenizer, communicator);
  }
  const auto shards = std::make_shared<ShardSet>(made ? made->path() : options.data);
  check_shards(*shards, options, *model, *tokenizer);
  const EvaluationBatches batches(masked(shard_source(shards), masker), kEvaluationBatchSize);
  std::string lines;
  const PretrainingLosses losses =
      evaluate_pretraining(*model, batches, communicator, [&](const PackedBatch& batch, std::span<const double> rows) {
        if (!options.predictions.empty()) append_predictions(lines, batch, rows);
      });
  if (!options.predictions.empty()) write_predictions(options.predictions, lines, communicator);
  if (communicator.rank() != 0) return;
  note_unused_weights(options.model, model->parameters());
  auto metrics = evaluation_metrics(*model, losses);
  for (auto& [name, value] : metrics) {
    if (name == "mlm_accuracy") name = "accuracy";
  }
  print_metrics(metrics, options.json);
}

// What the model remembers of its task, with what the options say instead.
TaskDescription task_to_evaluate(const EvaluateOptions& options, const ModelDescription& description) {
  TaskDescription task = description.task;
  check<MismatchError>(!options.task || *options.task == task.task, options.model, ": was trained for ",
                       task_name(task.task), " (--task says otherwise)");
  const auto replace = [](auto& column, const auto& given) {
    if (!given.empty()) column = given;
  };
  replace(task.columns.text, options.columns.text);
  replace(task.columns.pair, options.columns.pair);
  replace(task.columns.label, options.columns.label);
  replace(task.columns.choices, options.columns.choices);
  replace(task.columns.intent, options.columns.intent);
  replace(task.columns.slots, options.columns.slots);
  fill_usual_columns(task.task, task.columns);
  const int64_t longest = description.config.longest_sequence();
  task.sequence_length = options.sequence_length.value_or(task.sequence_length ? task.sequence_length : longest);
  task.stride = options.stride.value_or(task.stride);
  check<MismatchError>(task.sequence_length <= longest, "--sequence-length: ", task.sequence_length,
                       " tokens (the model has ", longest, " positions)");
  return task;
}

void evaluate_finetuned(const EvaluateOptions& options, ModelDescription description, Communicator& communicator) {
  description.task = task_to_evaluate(options, description);
  const TaskDescription& task = description.task;
  check<MismatchError>(description.head != Head::kNone, options.model, ": has no head to evaluate");
  const auto model = read_task_model(options.model, description);
  const auto tokenizer = read_tokenizer(options.model, description.config);
  const TaskSet set = encode_task_file(read_task_file(options.data, task.task), task, *tokenizer);
  const TaskReport report = report_task(task, set, evaluate_task(*model, set, communicator));
  if (communicator.rank() != 0) return;
  note_unused_weights(options.model, model->parameters());
  for (const std::string& note : set.notes) fmt::print(stderr, "{}\n", note);
  if (!options.predictions.empty()) write_durably(options.predictions, report.predictions);
  print_metrics(report.metrics, options.json);
  if (!options.json && !report.table.empty()) fmt::print("\n{}", report.table);
}

void run_evaluate(const EvaluateOptions& options) {
  const auto communicator = make_communicator();
  const ModelDescription description = read_model_description(options.model);
  if (is_for_pretraining(description.head)) {
    evaluate_pretrained(options, *communicator);
  } else {
    evaluate_finetuned(options, description, *communicator);
  }
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = app.add_subcommand("evaluate",
                                         "A pretrained model's losses on held-out text under fixed masks, or a "
                                         "fine-tuned one's scores on a file of examples. "
                                         "Also runs under mpirun -n N.");
  command->add_option("MODEL", options->model, "A model directory")->required();
  std::map<std::string, Task> tasks = {
      {"mlm", Task::kMlm}, {"mlm_nsp", Task::kMlmNsp}, {"next_sentence", Task::kNextSentence}};
  for (const Task task : finetuning_tasks()) tasks.emplace(task_name(task), task);
  command->add_option("--task", options->task, "What the model was trained for (default: as its config.json says)")
      ->transform(CLI::CheckedTransformer(tasks))
      ->option_text("TASK");
  command
      ->add_option("--data", options->data,
                   "A text file or a directory of shards; or examples in the layout of the training file")
      ->required();
  command
      ->add_option("--sequence-length", options->sequence_length,
                   "Tokens of a sequence (default: as in fine-tuning; of text 128, or the model's positions)")
      ->check(CLI::Range(8, 65535));
  command->add_option("--predictions", options->predictions, "Write what was predicted to this file");
  command->add_option("--stride", options->stride, "Tokens that two windows of a long context share");
  const auto column = [command](const char* name, auto& value) {
    command->add_option(name, value, "Instead of the column that the model remembers");
  };
  column("--text-column", options->columns.text);
  column("--pair-column", options->columns.pair);
  column("--label-column", options->columns.label);
  column("--choice-columns", options->columns.choices);
  column("--intent-column", options->columns.intent);
  column("--slots-column", options->columns.slots);
  command->add_flag("--json", options->json, "One JSON object");
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace bertha
