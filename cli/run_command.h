#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/progress.h"
#include "train/comm/communicator.h"
#include "train/trainer.h"

namespace bertha {

/// What commands take that run what a YAML file says.
struct RunOptions {
  std::string config;
  std::vector<std::string> overrides;
  bool print_config = false, dry_run = false;
};

/// Registers them.
void add_run_options(CLI::App& command, RunOptions& options);

/// Prints on rank 0.
void print_lines(const std::vector<std::string>& lines, const Communicator& communicator);

/// What a run tells, as `progress` shows it.
RunEvents shown_by(Progress& progress);

}  // namespace bertha
