#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/inspect/show.h"
#include "cli/inspect/text.h"
#include "data/file.h"
#include "data/printable.h"
#include "data/shard_manifest.h"
#include "train/checkpoint/checkpoint.h"
#include "train/inspect/advice.h"
#include "train/inspect/layer_groups.h"
#include "train/inspect/step_windows.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

/// All that is said of a run.
struct RunView {
  Subject subject;
  RunEvidence evidence;
  std::vector<std::string> checkpoints = {};  // the newest first
  std::string latest = {};
  std::optional<std::string> model = {};
  int64_t tensors = 0, parameters = 0;             // of the model
  std::optional<std::vector<Advice>> advice = {};  // with --advice

  bool is_finished() const { return model == subject.path + "/model"; }
  const RunHistory& history() const { return evidence.history; }
};

RunView gather(const Subject& subject, const InspectOptions& options) {
  const std::string& path = subject.path;
  RunView view{.subject = subject,
               .evidence = options.advice ? gather_evidence(path, options.vocab) : read_small_files(path)};
  if (path_is_directory(path + "/checkpoints")) {
    view.checkpoints = checkpoint_names(path + "/checkpoints");
    view.latest = latest_checkpoint(path + "/checkpoints");
  }
  view.model = newest_model(path);
  if (view.model) {
    const FileTensors tensors(*view.model);
    view.tensors = std::ssize(tensors.weights());
    for (const LayerGroup& group : group_by_layer(tensors.weights())) view.parameters += group.parameters();
  }
  if (options.advice) view.advice = advice_on(view.evidence);
  return view;
}

std::string task_of(const RunConfiguration& configuration) {
  return configuration.pretraining ? to_string(configuration.pretraining->task)
                                   : std::string(task_name(configuration.finetuning->task));
}

/// The evaluation that was the best so far.
const MetricsLine* best_evaluation(const RunView& view) {
  const JudgedEvaluations judged = judged_evaluations(view.evidence);
  const JudgedEvaluations::One* best = best_of(judged.all, judged.metric);
  return best ? &*std::ranges::find(view.history().evaluations, best->step, &MetricsLine::step) : nullptr;
}

const MetricsLine* last_evaluation(const RunView& view) {
  const auto& all = view.history().evaluations;
  return all.empty() ? nullptr : &all.back();
}

// ---- JSON

Json line_json(const MetricsLine* line) {
  if (!line) return nullptr;
  Json object = Json::parse(bertha::to_json(*line));  // whole numbers as such
  object.erase("phase");
  return object;
}

Json advice_json(const std::vector<Advice>& all) {
  Json list = Json::array();
  for (const Advice& advice : all) {
    Json figures = Json::object();
    for (const auto& [name, value] : advice.figures) figures[name] = value;
    list.push_back(
        {{"id", advice.id}, {"finding", advice.finding}, {"figures", figures}, {"suggestion", advice.suggestion}});
  }
  return list;
}

Json model_json(const RunView& view) {
  if (!view.model) return nullptr;
  return {{"path", *view.model}, {"tensors", view.tensors}, {"parameters", view.parameters}};
}

Json facts_json(const RunView& view) {
  Json object = Json::object();
  for (const RunFact& fact : view.evidence.facts) {
    object[fact.name] = fact.number ? Json::parse(fact.text) : Json(fact.text);  // whole numbers as such
  }
  return object;
}

Json to_json(const RunView& view) {
  const auto& steps = view.evidence.configuration.training().steps;
  const auto& last = view.history().last_step;
  Json report = {{"path", view.subject.path},
                 {"kind", to_text(view.subject.kind)},
                 {"task", task_of(view.evidence.configuration)},
                 {"finished", view.is_finished()},
                 {"step", last ? last->step : 0},
                 {"steps", steps ? Json(*steps) : Json()},
                 {"last_step", line_json(last ? &*last : nullptr)},
                 {"evaluations", view.history().evaluations.size()},
                 {"last_evaluation", line_json(last_evaluation(view))},
                 {"best_evaluation", line_json(best_evaluation(view))},
                 {"checkpoints", view.checkpoints},
                 {"latest_checkpoint", view.latest.empty() ? Json() : Json(view.latest)},
                 {"model", model_json(view)},
                 {"facts", facts_json(view)},
                 {"configuration", view.evidence.configuration.yaml}};
  if (view.advice) {
    report["advice"] = advice_json(*view.advice);
    report["missing"] = view.evidence.missing;
  }
  return report;
}

// ---- Text

void print_line(const char* name, const MetricsLine* line) {
  if (!line) return;
  std::string text = fmt::format("step {}", line->step);
  for (const auto& [key, value] : line->values) {
    if (key != "tokens" && key != "elapsed_s") text += fmt::format(", {} {:.5g}", printable(key), value);
  }
  print_member(name, text);
}

void print_advice(const RunView& view) {
  std::cout << "\nadvice\n";
  if (view.advice->empty()) std::cout << "  nothing stands out\n";
  for (const Advice& advice : *view.advice) {
    std::string figures;
    for (const auto& [name, value] : advice.figures) {
      figures += fmt::format("{}{} {:.5g}", figures.empty() ? "" : ", ", name, value);
    }
    std::cout << fmt::format("  {}: {}\n    {}\n    suggestion: {}\n", advice.id, advice.finding, figures,
                             advice.suggestion);
  }
  for (const std::string& sentence : view.evidence.missing)
    std::cout << "  not looked at: " << printable(sentence) << '\n';
}

void print_configuration(const RunView& view) {
  std::cout << "configuration\n";
  std::istringstream lines(view.evidence.configuration.yaml);
  for (std::string line; std::getline(lines, line);) std::cout << "  " << printable(line) << '\n';
}

void print(const RunView& view) {
  const auto& steps = view.evidence.configuration.training().steps;
  const auto& last = view.history().last_step;
  std::cout << fmt::format("{}: {}, {}, {}\n", printable(view.subject.path), to_text(view.subject.kind),
                           task_of(view.evidence.configuration), view.is_finished() ? "finished" : "not finished");
  print_member("steps", with_commas(last ? last->step : 0) + (steps ? " of " + with_commas(*steps) : ""));
  print_line("last", last ? &*last : nullptr);
  print_member("evaluations", std::to_string(view.history().evaluations.size()));
  print_line("  last", last_evaluation(view));
  print_line("  best", best_evaluation(view));
  std::string checkpoints;
  for (const std::string& name : view.checkpoints) {
    checkpoints += (checkpoints.empty() ? "" : ", ") + printable(name) + (name == view.latest ? " (latest)" : "");
  }
  print_member("checkpoints", checkpoints.empty() ? "none" : checkpoints);
  if (view.model) {
    print_member("newest model", fmt::format("{}, {} tensors, {} parameters", printable(*view.model), view.tensors,
                                             with_commas(view.parameters)));
  }
  if (!view.evidence.facts.empty()) std::cout << "last started with\n";
  for (const RunFact& fact : view.evidence.facts) print_member("  " + printable(fact.name), printable(fact.text));
  view.advice ? print_advice(view) : print_configuration(view);
}

}  // namespace

void show_run(const Subject& subject, const InspectOptions& options) {
  const RunView view = gather(subject, options);
  if (options.json) {
    std::cout << to_json(view).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print(view);
  }
}

}  // namespace bertha
