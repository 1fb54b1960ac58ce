#include "autograd/core/error.h"
#include "cli/evaluate.h"
#include "data/file.h"
#include "train/model_directory.h"
#include "train/recipes/task_evaluation.h"
#include "train/recipes/task_file.h"
#include "train/recipes/task_report.h"
#include "train/recipes/task_set.h"

namespace bertha {
namespace {

// What the options say holds instead of what the model remembers.
void set_task(ModelDescription& description, const EvaluateOptions& options) {
  TaskDescription& task = description.task;
  check<MismatchError>(!options.task || *options.task == task.task, options.model, ": was trained for ",
                       task_name(task.task), " (--task says otherwise)");
  check<MismatchError>(description.head != Head::kNone, options.model, ": has no head to evaluate");
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
  set_lengths(description, options.lengths);
}

}  // namespace

Evaluation evaluate_finetuned(const EvaluateOptions& options, ModelDescription description,
                              Communicator& communicator) {
  set_task(description, options);
  const TaskDescription& task = description.task;
  const auto model = read_task_model(options.model, description);
  const auto tokenizer = read_tokenizer(options.model, description.config);
  const TaskSet set = encode_task_file(read_task_file(options.data, task.task), task, *tokenizer);
  const TaskReport report = report_task(task, set, evaluate_task(*model, set, communicator));
  const bool writes = communicator.rank() == 0 && !options.predictions.empty();
  if (writes) write_durably(options.predictions, report.predictions);
  if (writes && !report.intents.empty()) write_durably(options.predictions + ".intents.tsv", report.intents);
  std::vector<std::string> notes = note_of_unused_weights(options.model, model->parameters());
  notes.insert(notes.end(), set.notes.begin(), set.notes.end());
  return {report.metrics, notes, report.table};
}

}  // namespace bertha
