#pragma once

#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/fresh_report.h"
#include "cli/progress.h"
#include "train/comm/communicator.h"
#include "train/comm/failure_watch.h"
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
StopSignals stop_signals(bool alone);

/// Prints on rank 0.
void print_lines(const std::vector<std::string>& lines, const Communicator& communicator);

/// What a run tells, as `progress` shows it and `report` keeps it.
RunEvents watched_by(Progress& progress, FreshReport& report);

/// What a command does with the configuration that its YAML file says.
template <class Config>
struct ConfiguredCommand {
  std::string name;
  Config (*load)(const std::string& path, std::span<const std::string> overrides);
  std::vector<std::string> (*plan)(const Config& config, int ranks);
  std::function<void(const Config& config, Communicator& communicator, const RunEvents& events)> run;
};

/// Does what the options ask for: supervises, prints, plans or runs.
template <class Config>
void run_configured(const ConfiguredCommand<Config>& command, const RunOptions& options) {
  const StopSignals first_signals = stop_signals(!is_launched());  // MPI takes a while to start
  if (options.supervise > 0) {
    run_supervised(command.name, options, command.load(options.config, options.overrides).output);
  }
  const auto communicator = make_communicator();  // first, so that ranks fail as one
  const Config config = command.load(options.config, options.overrides);
  if (options.print_config) {
    if (communicator->rank() == 0) std::cout << to_yaml(config);
    return;
  }
  if (options.dry_run) return print_lines(command.plan(config, communicator->size()), *communicator);
  const StopSignals signals = stop_signals(communicator->size() == 1);
  watch_for_stalls(*config.communication.stall_limit);
  Progress progress;
  warn_of_crowded_cores(*communicator, progress);
  FreshReport report(config.output, [&progress](const std::string& sentence) { progress.note(sentence); });
  command.run(config, *communicator, watched_by(progress, report));
  report.finish();
}

}  // namespace bertha
