#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/progress.h"
#include "train/comm/communicator.h"
#include "train/stop_signal.h"
#include "train/trainer.h"

namespace bertha {

/// What commands take that run what a YAML file says.
struct RunOptions {
  std::string config;
  std::vector<std::string> overrides;
  bool print_config = false, dry_run = false;
  int64_t supervise = 0;  // failures at one step before giving up; 0: runs in this process
  std::string launch;     // what the supervisor puts before the command
};

/// Registers them.
void add_run_options(CLI::App& command, RunOptions& options);

/// Runs `bertha NAME` with the options' configuration as a child process, started again where it fails, and throws
/// CLI::RuntimeError with its last exit code.
[[noreturn]] void run_supervised(const std::string& name, const RunOptions& options, const std::string& output);

/// What a stop signal does before the first step: alone, a process ends at once with 0, for there is nothing to save;
/// ranks end together, with their first step.
StopSignals stop_signals_of(const Communicator& communicator);

/// Prints on rank 0.
void print_lines(const std::vector<std::string>& lines, const Communicator& communicator);

/// What a run tells, as `progress` shows it.
RunEvents shown_by(Progress& progress);

}  // namespace bertha
