#include "cli/run_command.h"

#include <iostream>

namespace bertha {

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("CONFIG", options.config, "A YAML file")->required();
  command.add_option("OVERRIDES", options.overrides, "key.path=value, instead of what the file says");
  command.add_flag("--print-config", options.print_config, "Print the resolved configuration and end");
  command.add_flag("--dry-run", options.dry_run, "Check everything that can be checked, print the plan and end");
}

void print_lines(const std::vector<std::string>& lines, const Communicator& communicator) {
  if (communicator.rank() != 0) return;
  for (const std::string& line : lines) std::cout << line << '\n';
}

RunEvents shown_by(Progress& progress) {
  return {.note = [&progress](const std::string& sentence) { progress.note(sentence); },
          .metrics = [&progress](const MetricsLine& line, int64_t steps) { progress.metrics(line, steps); }};
}

}  // namespace bertha
