#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/metrics.h"

namespace bertha {

/// Reads metrics.jsonl of a run directory from front to back, also while it grows, in bounded memory. Lines that are
/// damaged, out of order or torn are passed over and counted; one whose step is too large takes no other with it. A
/// file that is not there has no lines. Throws ConfigError and Error where it cannot be read.
class MetricsReader {
 public:
  explicit MetricsReader(const std::string& directory);

  /// Whether the file does not go on with what was read: it is gone, or was cut as by a run that goes back.
  bool was_cut() const;

  /// Gives the lines that have come since the last call.
  void read(const std::function<void(const MetricsLine& line)>& use);

  /// While a line is given: where it ends in the file.
  uint64_t line_end() const { return line_end_; }

  int64_t lines() const { return lines_; }
  int64_t damaged_lines() const { return damaged_ + (torn_ ? 1 : 0); }

 private:
  using Use = std::function<void(const MetricsLine& line)>;

  /// Steps of the last line of a phase and of the last before it that was in order.
  struct Place {
    int64_t last, before;
  };

  size_t take_lines(std::string_view text, const Use& use);
  void take_line(std::string_view text, const Use& use);
  bool is_in_order(const MetricsLine& line);

  std::string path_;
  uint64_t begin_ = 0;        // of what is not read yet,
  std::string before_;        // and what stands in front of it
  bool within_line_ = false;  // begin_ lies in a line that is too long to be one
  bool torn_ = false;         // the file does not end with the end of a line
  int64_t lines_ = 0, damaged_ = 0;
  uint64_t line_end_ = 0;
  Place training_ = {0, 0}, evaluation_ = {-1, -1};
};

/// The lines of a phase up to `step`, in their order; errors as above.
void for_each_metrics_line(const std::string& directory, std::string_view phase, int64_t step,
                           const std::function<void(const MetricsLine& line)>& use);

/// What evaluations up to `step` gave for `metric`, in their order; errors as above.
std::vector<std::pair<int64_t, double>> evaluation_history(const std::string& directory, const std::string& metric,
                                                           int64_t step);

}  // namespace bertha
