#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/continued_file.h"
#include "train/tensorboard_events.h"

namespace bertha {

/// The history's name in a run directory.
inline constexpr std::string_view kMetricsName = "metrics.jsonl";

/// One line of metrics.jsonl: its phase, its step, and named numbers in the order of writing.
struct MetricsLine {
  std::string phase;  // train, evaluation, checkpoint, rewind
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> values;

  void add(std::string name, double value) { values.emplace_back(std::move(name), value); }
  /// None where there is no such number.
  std::optional<double> find(std::string_view name) const;
};

/// One JSON object; whole numbers as integers, others so that they read back to the same bits, NaN and infinity as
/// null.
std::string to_json(const MetricsLine& line);

/// The line that such an object is: with the bits that were written, NaN for null, and without values that are neither.
/// None for any other text.
std::optional<MetricsLine> parse_metrics_line(std::string_view text);

/// The step of the last whole line; 0 where there is none that can be read. Reads the end of the file alone.
int64_t last_metrics_step(const std::string& directory);

/// The history of a run, in its directory: metrics.jsonl, one object a line, and the same numbers as TensorBoard
/// events, named PHASE/NAME. Each step is there once. A line is written at once, so a crash tears at most the last.
class MetricsLog {
 public:
  /// Opens the files of `directory` to continue after `step`: a torn last line and all lines of later steps are cut.
  /// Damaged lines between others stay. Throws Error where a file cannot be written.
  MetricsLog(const std::string& directory, int64_t step);

  void write(const MetricsLine& line);

  /// Makes all lines durable. Throws Error.
  void sync();

 private:
  ContinuedFile lines_;
  EventFile events_;
};

}  // namespace bertha
