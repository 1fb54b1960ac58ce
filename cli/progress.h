#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "train/comm/communicator.h"
#include "train/metrics.h"

namespace bertha {

/// Shows a run on stderr: a live line where that is a terminal, otherwise a plain line every few seconds.
class Progress {
 public:
  Progress();

  void note(const std::string& sentence);
  /// `steps` of the whole run, 0 where a time limits it.
  void metrics(const MetricsLine& line, int64_t steps);

 private:
  using Clock = std::chrono::steady_clock;

  void training(const MetricsLine& line, int64_t steps);
  void end_live_line();

  bool terminal_, color_;
  bool live_ = false;  // the cursor stands behind a live line
  Clock::time_point last_{};
  Clock::time_point first_{};  // of the first training line,
  double first_done_ = 0;      // and the share of the run that was done then, for the time that is left
  double done_ = 0;            // by the last one
};

/// Says so where a rank that mpirun binds to fewer cores than it has threads would be slow without a sign. Collective.
void warn_of_crowded_cores(Communicator& communicator, Progress& progress);

}  // namespace bertha
