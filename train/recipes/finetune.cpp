#include "train/recipes/finetune.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "train/model_directory.h"
#include "train/rank_agreement.h"
#include "train/recipes/analysis_file.h"
#include "train/recipes/finetuning_inputs.h"
#include "train/recipes/run_setup.h"
#include "train/recipes/task_report.h"
#include "train/run_facts.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

// Ranks that read other files would train and decide differently.
void require_same_data(Communicator& communicator, const FinetuningInputs& inputs) {
  const auto hash = [](const std::optional<TaskSet>& set) { return set ? set->hash : 0; };
  require_agreement(communicator, fmt::format("data.train {:016x}\ndata.validation {:016x}\ndata.test {:016x}\n",
                                              inputs.train.hash, hash(inputs.validation), hash(inputs.test)));
}

RunIdentity identity_of(const FinetuneConfig& config, const FinetuningInputs& inputs) {
  return {.model = config_json(inputs.description, *inputs.tokenizer),
          .vocabulary_hash = inputs.tokenizer->hash(),
          .data_hash = inputs.train.hash,
          .evaluation_hash = inputs.evaluation_hash(),
          .seed = static_cast<uint64_t>(config.training.seed),
          .global_batch_size = config.training.global_batch_size};
}

// Sentences about what begins, on the rank that reports.
void announce(const FinetuneConfig& config, const FinetuningInputs& inputs, const BertForTask& model,
              const TrainerOptions& options, const Communicator& communicator, const RunEvents& events) {
  for (const TaskSet* set : inputs.sets()) std::ranges::for_each(set->notes, events.note);
  events.note(fmt::format("{}: {} parameters, {} examples, {} of {}", task_name(config.task),
                          parameter_count(model.parameters()), inputs.train.examples->size(), length_text(options),
                          config.training.global_batch_size));
  note_machine(config.training.precision, options.peak_flops, communicator, events);
}

// How the best model, which has taken the last one's place, does on each set.
struct Scores {
  TaskReport validation, test;
  TaskAnalyses analyses;

  ordered_json as_json() const {
    const auto object = [](const TaskReport& report) {
      ordered_json metrics = ordered_json::object();
      for (const auto& [name, value] : report.metrics) metrics[name] = value;
      return metrics;
    };
    return {{"validation", object(validation)}, {"test", object(test)}};
  }

  std::string as_text() const { return as_text("validation", validation) + as_text("test", test); }

 private:
  static std::string as_text(std::string_view title, const TaskReport& report) {
    if (report.metrics.empty()) return {};
    std::string text = fmt::format("{}\n", title);
    for (const auto& [name, value] : report.metrics) text += fmt::format("  {:<18}{:.4f}\n", name, value);
    return text + (report.table.empty() ? "\n" : "\n" + report.table + "\n");
  }
};

Scores score(const FinetuningInputs& inputs, const BertForTask& model, Communicator& communicator) {
  const TaskDescription& task = inputs.description.task;
  Scores scores;
  const auto report = [&](const char* name, const std::optional<TaskFile>& file, const std::optional<TaskSet>& set) {
    if (!set) return TaskReport();
    std::vector<TaskOutputs> outputs = evaluate_task(model, *set, communicator);
    if (communicator.rank() == 0) scores.analyses.emplace_back(name, analyze_task(task, *file, *set, outputs));
    return report_task(task, *set, std::move(outputs));
  };
  scores.validation = report("validation", inputs.validation_file, inputs.validation);
  scores.test = report("test", inputs.test_file, inputs.test);
  return scores;
}

void publish(const std::string& output, const Scores& scores, const FinetuningTask& task) {
  write_durably(output + "/results.txt", scores.as_text());
  write_durably(output + "/results.json", scores.as_json().dump(2) + "\n");
  write_durably(output + "/" + std::string(kAnalysisName), to_json(scores.analyses));
  publish_model(output + "/model", task.model_content());
}

}  // namespace

FinetuneResult finetune(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events) {
  require_agreement(communicator, build_identity());
  require_agreement(communicator, to_yaml(config));
  const bool reports = communicator.rank() == 0;
  FinetuningInputs inputs = read_finetuning_inputs(config);
  const MicroSlices slices(config.training.global_batch_size, micro_batch_size(config.training, communicator.size()));
  rank_slices(slices.count(), communicator.rank(), communicator.size());
  const std::unique_ptr<RunLock> lock = open_output(config.output, communicator);
  communicator.barrier();
  require_same_data(communicator, inputs);

  BertForTask model(inputs.description.config, task_head(inputs.description));
  const std::vector<std::string> sentences = initialize(model, config, inputs);
  const RunIdentity identity = identity_of(config, inputs);
  FinetuningTask task(model, inputs.description, *inputs.tokenizer,
                      TrainingBatches(example_source(inputs.train.examples), identity.seed, slices),
                      inputs.validation ? &*inputs.validation : nullptr, std::move(inputs.teacher), identity);
  const TrainerOptions options =
      finetuning_options(config, inputs, measure_peak(config.training.precision, communicator));
  Trainer trainer(options, task, communicator, events);
  const int64_t first_step = trainer.resume();
  if (reports) {
    const auto changes_since = [&](const std::string& yaml) {
      return differences(parse_finetune_config(yaml, "configuration", {}), config);
    };
    note_changes(trainer.resumed_configuration(), changes_since, events);
    write_durably(config.output + "/config.yaml", options.configuration);
    write_run_facts(config.output, {config.training.precision, options.peak_flops, communicator.size(),
                                    parameter_count(model.parameters())});
    if (first_step == 0) std::ranges::for_each(sentences, events.note);
    announce(config, inputs, model, options, communicator, events);
    events.opened(config.output);
  }
  FinetuneResult result;
  result.outcome = trainer.run();
  if (result.outcome == Trainer::Outcome::kStopped) {
    if (reports) note_stopped(config.output, events);
    return result;
  }
  communicator.barrier();
  const bool is_best = inputs.validation && trainer.restore_best();
  const Scores scores = score(inputs, model, communicator);
  result.validation = scores.validation.metrics;
  result.test = scores.test.metrics;
  if (!reports) return result;
  publish(config.output, scores, task);
  if (inputs.validation && !is_best) {
    events.note(config.output + "/best: is not of the best evaluation of this run; the last model takes its place");
  }
  events.note(fmt::format("{}: {}/model{}", trainer.steps_done() == first_step ? "this run is finished" : "finished",
                          config.output, is_best ? fmt::format(", best at step {}", *trainer.best_step()) : ""));
  events.note(scores.as_text());
  return result;
}

}  // namespace bertha
