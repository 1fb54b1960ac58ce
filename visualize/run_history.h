#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/metrics_reader.h"
#include "visualize/curve.h"

namespace bertha {

/// Curves by the names of their metrics, in the order in which they first came.
using Curves = std::vector<std::pair<std::string, Curve>>;

/// Null where there is none.
const Curve* find_curve(const Curves& curves, std::string_view name);

/// Steps at which something happened: how many, and as many of them as a chart can show, of very many the last.
class Marks {
 public:
  struct Mark {
    int64_t step = 0;
    int64_t from = 0;  // of a step back, the step it was made from
  };
  static constexpr size_t kMost = 500;

  void add(Mark mark);

  int64_t count() const { return count_; }
  const std::vector<Mark>& shown() const { return shown_; }

 private:
  int64_t count_ = 0;
  std::vector<Mark> shown_;
};

/// What metrics.jsonl of a run directory says, of a run of any length in bounded memory.
class MetricsHistory {
 public:
  explicit MetricsHistory(std::string directory);

  /// Reads the lines that have come since; all of them again where the file was cut. Throws as MetricsReader does.
  void update();

  /// Of the lines of training, `elapsed_s` added up over the starts of the run.
  const Curves& training() const { return training_; }
  /// Of the lines of evaluations, without `tokens` and `elapsed_s`.
  const Curves& evaluation() const { return evaluation_; }
  const Marks& checkpoints() const { return checkpoints_; }
  const Marks& skipped() const { return skipped_; }  // updates that were left out
  const Marks& rewinds() const { return rewinds_; }
  const Marks& starts() const { return starts_; }  // after the first

  int64_t last_step() const { return last_step_; }
  double elapsed_seconds() const { return earlier_seconds_ + seconds_; }
  int64_t lines() const { return reader_.lines(); }
  int64_t damaged_lines() const { return reader_.damaged_lines(); }

 private:
  void add(const MetricsLine& line);
  void add_training(const MetricsLine& line);
  void note_time(const MetricsLine& line);

  std::string directory_;
  MetricsReader reader_;
  Curves training_, evaluation_;
  Marks checkpoints_, skipped_, rewinds_, starts_;
  int64_t last_step_ = 0;
  double earlier_seconds_ = 0, seconds_ = 0;  // of earlier starts, and of this one
};

}  // namespace bertha
