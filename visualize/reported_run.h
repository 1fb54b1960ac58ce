#pragma once

#include <string>
#include <vector>

#include "visualize/run_files.h"
#include "visualize/run_history.h"

namespace bertha {

/// A run directory as reports show it.
class ReportedRun {
 public:
  /// `group`: the directory of a fine-tuning with several seeds that this is one of; else empty.
  ReportedRun(const std::string& directory, std::string group)
      : name_(directory), group_(std::move(group)), history_(directory) {}

  /// Reads what its files have gained.
  void update() {
    history_.update();
    files_ = read_run_files(name_);
  }

  const std::string& name() const { return name_; }
  const std::string& group() const { return group_; }
  const MetricsHistory& history() const { return history_; }
  const RunFiles& files() const { return files_; }

 private:
  std::string name_, group_;
  MetricsHistory history_;
  RunFiles files_;
};

/// The run of a directory, or those of its seeds, not read yet. Throws ConfigError where it is neither's.
std::vector<ReportedRun> find_runs(const std::string& directory);

}  // namespace bertha
