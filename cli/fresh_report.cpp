#include "cli/fresh_report.h"

#include <algorithm>
#include <span>
#include <utility>

#include "data/file.h"
#include "visualize/report_page.h"

namespace bertha {
namespace {

constexpr std::chrono::seconds kPauseOfSteps{10}, kPauseOfOthers{1};
constexpr const char* kPageName = "/report.html";

}  // namespace

void FreshReport::opened(const std::string& directory) {
  finish();  // the run before
  runs_.emplace_back(directory, directory == output_ ? "" : output_);
  refresh();
}

void FreshReport::metrics(const MetricsLine& line) {
  const Clock::duration pause = line.phase == "train" ? kPauseOfSteps : kPauseOfOthers;
  const auto affordable = std::chrono::duration_cast<Clock::duration>(cost_ / kMostShare);
  if (!runs_.empty() && Clock::now() - written_ >= std::max(pause, affordable)) refresh();
}

void FreshReport::finish() {
  if (!runs_.empty()) refresh();
}

void FreshReport::refresh() {
  const Clock::time_point begin = Clock::now();
  ReportedRun& run = runs_.back();
  try {
    run.update();
    write_durably(run.name() + kPageName, report_page(std::span(&run, 1)));
    if (!run.group().empty()) write_durably(output_ + kPageName, report_page(runs_));
    failed_ = false;
  } catch (const std::exception& error) {
    if (!std::exchange(failed_, true))
      note_("the report is not fresh, and the run goes on: " + std::string(error.what()));
  }
  written_ = Clock::now();
  cost_ = written_ - begin;
}

}  // namespace bertha
