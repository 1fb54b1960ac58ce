#include "visualize/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "train/best_evaluation.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

// None of pretraining.
std::optional<Task> finetuning_task_of(const RunFiles& files) {
  const std::string* name = find_text(files.configuration, "task");
  const auto tasks = finetuning_tasks();
  const auto found = std::ranges::find_if(tasks, [&](Task task) { return name && task_name(task) == *name; });
  return found == tasks.end() ? std::nullopt : std::optional(*found);
}

Json best_json(const RunSummary& summary) {
  if (!summary.best) return {};
  return {{"metric", summary.deciding_metric}, {"value", summary.best->value}, {"step", summary.best->step}};
}

Json results_json(const RunFiles& files) {
  Json json = Json::object();
  for (const auto& [part, metrics] : files.results) {
    for (const auto& [name, value] : metrics) json[part][name] = value;
  }
  return json;
}

std::vector<std::string> notes_of(const ReportedRun& run) {
  std::vector<std::string> notes = run.files().notes;
  const int64_t damaged = run.history().damaged_lines();
  if (damaged > 0) notes.push_back(fmt::format("metrics.jsonl: damaged lines passed over: {}", damaged));
  return notes;
}

}  // namespace

RunSummary summarize(const ReportedRun& run) {
  const Curve none;
  const auto curve = [&](const char* name) -> const Curve& {
    const Curve* found = find_curve(run.history().training(), name);
    return found ? *found : none;
  };
  RunSummary summary;
  summary.notes = notes_of(run);
  summary.step = run.history().last_step();
  summary.tokens = curve("tokens").last().value;
  summary.seconds = run.history().elapsed_seconds();
  summary.loss = curve("loss").last().value;
  summary.tokens_per_second = curve("tokens_per_s").mean();
  summary.mfu = curve("mfu").mean();
  summary.communication_share = curve("communication_share").mean();
  summary.peak_rss_mib = curve("peak_rss_mib").last().value;
  const EvaluationMetric metric = evaluation_metric(finetuning_task_of(run.files()));
  summary.deciding_metric = metric.name;
  const Curve* deciding = find_curve(run.history().evaluation(), metric.name);
  if (!deciding) return summary;
  summary.evaluations = deciding->size();
  const std::vector<CurvePoint> points = deciding->points();
  if (const CurvePoint* best = best_of(points, metric)) summary.best = *best;
  return summary;
}

std::string summary_json(const ReportedRun& run) {
  const RunSummary summary = summarize(run);
  const MetricsHistory& history = run.history();
  const std::string* task = find_text(run.files().configuration, "task");
  const Json json = {{"run", run.name()},
                     {"task", task ? Json(*task) : Json()},
                     {"step", summary.step},
                     {"tokens", summary.tokens},
                     {"elapsed_s", summary.seconds},
                     {"loss", summary.loss},
                     {"best", best_json(summary)},
                     {"tokens_per_s", summary.tokens_per_second},
                     {"mfu", summary.mfu},
                     {"communication_share", summary.communication_share},
                     {"peak_rss_mib", summary.peak_rss_mib},
                     {"evaluations", summary.evaluations},
                     {"checkpoints", history.checkpoints().count()},
                     {"skipped", history.skipped().count()},
                     {"rewinds", history.rewinds().count()},
                     {"resumed", history.starts().count()},
                     {"results", results_json(run.files())},
                     {"lines", history.lines()},
                     {"damaged_lines", history.damaged_lines()},
                     {"notes", summary.notes}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bertha
