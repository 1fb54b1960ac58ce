#include "cli/run_command.h"

#include <filesystem>
#include <iostream>

#include "autograd/core/error.h"
#include "cli/supervisor.h"

namespace bertha {

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("CONFIG", options.config, "A YAML file")->required();
  command.add_option("OVERRIDES", options.overrides, "key.path=value, instead of what the file says");
  command.add_flag("--print-config", options.print_config, "Print the resolved configuration and end");
  command.add_flag("--dry-run", options.dry_run, "Check everything that can be checked, print the plan and end");
  auto* supervise =
      command
          .add_option("--supervise", options.supervise,
                      "Start the run as a child and again when it fails, until so many failures at one step")
          ->check(CLI::Range(int64_t{1}, int64_t{1} << 20));
  command.add_option("--launch", options.launch, "What the supervisor starts the run with, such as 'mpirun -n 4'")
      ->needs(supervise);
}

void run_supervised(const std::string& name, const RunOptions& options, const std::string& output) {
  check<ConfigError>(!is_launched(), "--supervise: under mpirun (the supervisor stands outside: bertha ", name,
                     " --supervise N --launch 'mpirun -n RANKS' CONFIG)");
  check<ConfigError>(!options.print_config && !options.dry_run, "--supervise: with --print-config or --dry-run ",
                     "(there is no run to supervise)");
  std::vector<std::string> command = {std::filesystem::read_symlink("/proc/self/exe"), name, options.config};
  command.insert(command.end(), options.overrides.begin(), options.overrides.end());
  throw CLI::RuntimeError(supervise({options.supervise, options.launch, output}, command));
}

StopSignals stop_signals(bool alone) {
  return StopSignals(alone ? "stopped by a signal before the first step; the same command continues\n" : nullptr);
}

void print_lines(const std::vector<std::string>& lines, const Communicator& communicator) {
  if (communicator.rank() != 0) return;
  for (const std::string& line : lines) std::cout << line << '\n';
}

RunEvents watched_by(Progress& progress, FreshReport& report) {
  return {.note = [&progress](const std::string& sentence) { progress.note(sentence); },
          .metrics =
              [&progress, &report](const MetricsLine& line, int64_t steps) {
                progress.metrics(line, steps);
                report.metrics(line);
              },
          .opened = [&report](const std::string& directory) { report.opened(directory); }};
}

}  // namespace bertha
