#include "visualize/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "train/scores/mean_and_deviation.h"
#include "visualize/page.h"
#include "visualize/run_summary.h"

namespace bertha {
namespace {

using Json = nlohmann::ordered_json;

// ---- Curves, which are most of a page

void append_steps(std::span<const CurvePoint> points, std::string& json) {
  json += '[';
  for (size_t i = 0; i < points.size(); ++i)
    fmt::format_to(std::back_inserter(json), "{}{}", i ? "," : "", points[i].step);
  json += ']';
}

void append_values(std::span<const CurvePoint> points, std::string& json) {
  json += '[';
  for (size_t i = 0; i < points.size(); ++i) {
    if (i > 0) json += ',';
    if (std::isfinite(points[i].value)) {
      fmt::format_to(std::back_inserter(json), "{:.6g}", points[i].value);
    } else {
      json += "null";
    }
  }
  json += ']';
}

// Its means where they are not its points.
void append_curve(const std::string& name, const Curve& curve, std::string& json) {
  const std::vector<CurvePoint> points = curve.points();
  json += fmt::format(R"({{"name":{},"width":{},"steps":)",
                      Json(name).dump(-1, ' ', false, Json::error_handler_t::replace), curve.width());
  append_steps(points, json);
  json += ",\"values\":";
  append_values(points, json);
  if (curve.width() > 1) {
    const std::vector<CurvePoint> means = curve.means();
    json += ",\"mean_steps\":";
    append_steps(means, json);
    json += ",\"means\":";
    append_values(means, json);
  }
  json += '}';
}

void append_curves(const char* name, const Curves& curves, std::string& json) {
  json += fmt::format("\"{}\":[", name);
  for (size_t i = 0; i < curves.size(); ++i) {
    if (i > 0) json += ',';
    append_curve(curves[i].first, curves[i].second, json);
  }
  json += ']';
}

std::string curves_json(std::span<const ReportedRun> runs) {
  std::string json = "[";
  for (const ReportedRun& run : runs) {
    if (json.size() > 1) json += ',';
    json += '{';
    append_curves("training", run.history().training(), json);
    json += ',';
    append_curves("evaluation", run.history().evaluation(), json);
    json += '}';
  }
  return json + "]";
}

// ---- The rest

Json marks_json(const Marks& marks) {
  Json steps = Json::array(), from = Json::array();
  for (const Marks::Mark& mark : marks.shown()) {
    steps.push_back(mark.step);
    from.push_back(mark.from);
  }
  return {{"count", marks.count()}, {"steps", steps}, {"from", from}};
}

Json texts_json(const NamedTexts& texts) {
  Json json = Json::array();
  for (const auto& [name, text] : texts) json.push_back({name, text});
  return json;
}

Json run_json(const ReportedRun& run) {
  const RunFiles& files = run.files();
  const MetricsHistory& history = run.history();
  return {{"name", run.name()},
          {"group", run.group()},
          {"summary", Json::parse(summary_json(run))},
          {"configuration", texts_json(files.configuration)},
          {"facts", texts_json(files.facts)},
          {"unigram_entropy", files.unigram_entropy ? Json(*files.unigram_entropy) : Json()},
          {"most_frequent_share", files.most_frequent_share ? Json(*files.most_frequent_share) : Json()},
          {"marks",
           {{"checkpoint", marks_json(history.checkpoints())},
            {"skipped", marks_json(history.skipped())},
            {"rewind", marks_json(history.rewinds())},
            {"start", marks_json(history.starts())}}},
          {"analyses", Json::parse(to_json(files.analyses))}};
}

// A score of the runs of a group that have it.
Json score_json(const std::string& part, const std::string& name, std::span<const ReportedRun* const> runs) {
  std::vector<double> known;
  Json values = Json::array();
  for (const ReportedRun* run : runs) {
    const auto& results = run->files().results;
    const auto metrics = std::ranges::find(results, part, [](const auto& result) { return result.first; });
    double value = NAN;
    if (metrics != results.end()) {
      const auto found = std::ranges::find(metrics->second, name, &NamedScores::value_type::first);
      if (found != metrics->second.end()) value = found->second;
    }
    values.push_back(value);
    if (std::isfinite(value)) known.push_back(value);
  }
  const MeanAndDeviation both = mean_and_deviation(known);
  return {{"part", part}, {"name", name}, {"values", values}, {"mean", both.mean}, {"deviation", both.deviation}};
}

// The seeds of one fine-tuning: the scores that their first finished run has.
Json group_json(const std::string& group, std::span<const ReportedRun> runs) {
  std::vector<const ReportedRun*> members;
  Json places = Json::array(), scores = Json::array();
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].group() != group) continue;
    members.push_back(&runs[i]);
    places.push_back(i);
  }
  const auto finished = std::ranges::find_if(members, [](const auto* run) { return !run->files().results.empty(); });
  if (finished != members.end()) {
    for (const auto& [part, metrics] : (*finished)->files().results) {
      for (const auto& [name, value] : metrics) scores.push_back(score_json(part, name, members));
    }
  }
  return {{"name", group}, {"runs", places}, {"scores", scores}};
}

}  // namespace

std::string report_page(std::span<const ReportedRun> runs) {
  Json data = {{"runs", Json::array()}, {"groups", Json::array()}};
  std::set<std::string> groups;
  for (const ReportedRun& run : runs) {
    data["runs"].push_back(run_json(run));
    const bool is_new = !run.group().empty() && groups.insert(run.group()).second;
    if (is_new) data["groups"].push_back(group_json(run.group(), runs));
  }
  const std::string curves = curves_json(runs);
  return to_html({.title = "Report: " + (runs.size() == 1 ? runs[0].name() : fmt::format("{} runs", runs.size())),
                  .styles = {"report.css"},
                  .scripts = {"d3.min.js", "report-series.js", "report-metrics.js", "report-look.js", "report-view.js",
                              "report-pointer.js", "report-chart.js", "report-readout.js", "report-controls.js",
                              "report-tables.js", "report-confusion.js", "report-mistakes.js", "report-finetuning.js",
                              "report.js"},
                  .data = data.dump(-1, ' ', false, Json::error_handler_t::replace),
                  .blocks = {page_block("curves", std::as_bytes(std::span(curves)))}});
}

}  // namespace bertha
