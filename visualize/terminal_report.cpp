#include "visualize/terminal_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "data/printable.h"
#include "train/duration.h"
#include "visualize/run_summary.h"

namespace bertha {
namespace {

// ---- The table

std::string number(const char* format, double value) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

std::string best_text(const RunSummary& summary) {
  if (!summary.best) return "-";
  return fmt::format("{} {:.4f} at {}", summary.deciding_metric, summary.best->value, summary.best->step);
}

struct Column {
  std::string title;
  std::function<std::string(const RunSummary&)> text;
};

// The most important first: a narrow terminal shows no others.
const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      {"step", [](const RunSummary& s) { return fmt::format("{}", s.step); }},
      {"loss", [](const RunSummary& s) { return number("{:.4f}", s.loss); }},
      {"best evaluation", best_text},
      {"time", [](const RunSummary& s) { return clock_text(s.seconds); }},
      {"tokens/s", [](const RunSummary& s) { return number("{:.0f}", s.tokens_per_second); }},
      {"MFU", [](const RunSummary& s) { return number("{:.0f} %", 100 * s.mfu); }},
      {"tokens", [](const RunSummary& s) { return number("{:.0f}", s.tokens); }},
      {"MiB", [](const RunSummary& s) { return number("{:.0f}", s.peak_rss_mib); }},
  };
  return kColumns;
}

std::string table(std::span<const ReportedRun> runs, int64_t width, TerminalColors colors) {
  constexpr int64_t kNarrowestName = 14, kGap = 2, kMark = 2;
  std::vector<RunSummary> summaries;
  int64_t name_width = 3;
  for (const ReportedRun& run : runs) {
    summaries.push_back(summarize(run));
    name_width = std::max(name_width, display_width(printable(run.name())));
  }
  std::vector<std::string> lines(runs.size() + 1);
  int64_t used = kMark + std::min(name_width, kNarrowestName);
  for (const Column& column : columns()) {
    int64_t column_width = std::ssize(column.title);
    for (const RunSummary& summary : summaries) column_width = std::max(column_width, std::ssize(column.text(summary)));
    used += kGap + column_width;
    if (used > width) break;
    lines[0] += fmt::format("{:>{}}", column.title, kGap + column_width);
    for (size_t i = 0; i < runs.size(); ++i) {
      lines[i + 1] += fmt::format("{:>{}}", column.text(summaries[i]), kGap + column_width);
    }
  }
  name_width = std::clamp<int64_t>(width - kMark - std::ssize(lines[0]), 3, name_width);
  std::string text = "  " + fitted("run", name_width, Cut::kBeginning) + lines[0] + "\n";
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string mark = runs.size() > 1 ? curve_mark(i, colors) : " ";
    text += mark + " " + fitted(runs[i].name(), name_width, Cut::kBeginning) + lines[i + 1] + "\n";
  }
  return text;
}

// ---- Charts

struct Chart {
  const char* title;
  std::function<const Curve*(const ReportedRun&)> curve;
};

const Curve* training_curve(const ReportedRun& run, std::string_view name) {
  return find_curve(run.history().training(), name);
}

// Of masked tokens or labels, whatever the run trains.
const Curve* accuracy_curve(const ReportedRun& run) {
  const Curves& curves = run.history().training();
  const auto found = std::ranges::find_if(curves, [](const auto& named) { return named.first.ends_with("_accuracy"); });
  return found == curves.end() ? nullptr : &found->second;
}

const Curve* evaluation_curve(const ReportedRun& run) {
  return find_curve(run.history().evaluation(), summarize(run).deciding_metric);
}

// Its means, and where it ends.
std::vector<CurvePoint> points_of(const Curve& curve) {
  std::vector<CurvePoint> points = curve.means();
  if (points.back().step < curve.last().step) points.push_back(curve.last());
  return points;
}

std::string charts(std::span<const ReportedRun> runs, int64_t width, TerminalColors colors) {
  const auto named = [](const char* name) {
    return [name](const ReportedRun& run) { return training_curve(run, name); };
  };
  const std::vector<Chart> list = {
      {"training loss (nats)", named("loss")}, {"training accuracy", accuracy_curve},
      {"evaluation", evaluation_curve},        {"learning rate", named("learning_rate")},
      {"gradient norm", named("grad_norm")},   {"throughput (tokens/s)", named("tokens_per_s")}};
  std::string text;
  for (const Chart& chart : list) {
    std::vector<TerminalCurve> curves;
    for (const ReportedRun& run : runs) {
      const Curve* curve = chart.curve(run);
      curves.push_back({run.name(), curve ? points_of(*curve) : std::vector<CurvePoint>()});
    }
    const std::string drawn = terminal_chart(chart.title, curves, width, colors);
    if (!drawn.empty()) text += "\n" + drawn;
  }
  return text;
}

}  // namespace

std::string terminal_report(std::span<const ReportedRun> runs, int64_t width, TerminalColors colors) {
  std::string text = table(runs, width, colors) + charts(runs, width, colors);
  for (const ReportedRun& run : runs) {
    for (const std::string& note : summarize(run).notes) text += printable(run.name() + ": " + note) + "\n";
  }
  return text;
}

}  // namespace bertha
