#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bertha {

/// One line of metrics.jsonl: its phase, its step, and named numbers in the order of writing.
struct MetricsLine {
  std::string phase;  // train, evaluation, checkpoint
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> values;

  void add(std::string name, double value) { values.emplace_back(std::move(name), value); }
};

/// One JSON object; whole numbers as integers, others so that they read back to the same bits, NaN and infinity as
/// null.
std::string to_json(const MetricsLine& line);

/// metrics.jsonl: one object a line, each step once. A line is written at once, so a crash tears at most the last.
class MetricsLog {
 public:
  /// Opens `path` to continue after `step`: a torn last line and all lines of later steps are cut. Throws Error where
  /// the file cannot be written.
  MetricsLog(const std::string& path, int64_t step);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  void write(const MetricsLine& line);

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace bertha
