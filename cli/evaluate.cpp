#include "cli/evaluate.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/output_file.h"
#include "train/comm/failure_watch.h"
#include "train/model_directory.h"

namespace bertha {
namespace {

// The file is written beside and renamed: a device or a link would be lost.
void print_metrics(const std::vector<std::pair<std::string, double>>& metrics, bool as_json) {
  nlohmann::ordered_json object;
  for (const auto& [name, value] : metrics) {
    object[name] = value;
    if (!as_json) fmt::print("{:<16} {:.6f}\n", name, value);
  }
  if (as_json) fmt::print("{}\n", object.dump());
}

void print(const Evaluation& evaluation, bool as_json) {
  for (const std::string& note : evaluation.notes) fmt::print(stderr, "{}\n", note);
  print_metrics(evaluation.metrics, as_json);
  if (!as_json && !evaluation.table.empty()) fmt::print("\n{}", evaluation.table);
}

void run_evaluate(const EvaluateOptions& options) {
  const auto communicator = make_communicator();
  watch_for_stalls(kStallLimit);
  const ModelDescription description = read_model_description(options.model);
  const Evaluation evaluation = is_for_pretraining(description.head)
                                    ? evaluate_pretrained(options, description, *communicator)
                                    : evaluate_finetuned(options, description, *communicator);
  if (communicator->rank() == 0) print(evaluation, options.json);
}

}  // namespace

std::vector<std::string> note_of_unused_weights(const std::string& directory, const ParameterStore& parameters) {
  const std::vector<std::string> unused = unused_weights(directory, parameters);
  if (unused.empty()) return {};
  return {fmt::format("not used, of {}: {}", directory, fmt::join(unused, ", "))};
}

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
      ->add_option("--sequence-length", options->lengths.sequence_length,
                   "Tokens of a sequence (default: as in fine-tuning; of text 128, or the model's positions)")
      ->check(CLI::Range(8, 65535));
  command->add_option("--predictions", options->predictions, "Write what was predicted to this file")
      ->check(output_file());
  command->add_option("--stride", options->lengths.stride, "Tokens that two windows of a long context share")
      ->check(CLI::NonNegativeNumber);
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
