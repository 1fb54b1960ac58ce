#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "train/metrics.h"
#include "visualize/reported_run.h"

namespace bertha {

/// Keeps report.html of a run directory fresh while the run goes on; of several seeds that of each, and one of all
/// beside them. It takes less than kMostShare of the time, however slow the disk is, and where it fails, the run goes
/// on.
class FreshReport {
 public:
  static constexpr double kMostShare = 0.004;

  /// `output`: what the command writes into. `note` says a sentence.
  FreshReport(std::string output, std::function<void(const std::string& sentence)> note)
      : output_(std::move(output)), note_(std::move(note)) {}

  /// A run begins, in `output` or below.
  void opened(const std::string& directory);

  /// The run has written a line: a page that is old enough is written again, sooner behind evaluations and checkpoints.
  void metrics(const MetricsLine& line);

  /// The command has ended.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void refresh();

  std::string output_;
  std::function<void(const std::string& sentence)> note_;
  std::vector<ReportedRun> runs_;  // the last one goes on
  Clock::time_point written_{};
  Clock::duration cost_{};  // of writing last time
  bool failed_ = false;     // then
};

}  // namespace bertha
