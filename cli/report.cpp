
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "data/file.h"
#include "visualize/report_page.h"
#include "visualize/run_summary.h"
#include "visualize/terminal_report.h"

namespace bertha {
namespace {

struct ReportOptions {
  std::vector<std::string> directories;
  std::string output;
  bool terminal = false, json = false;
};

std::vector<ReportedRun> read_runs(const std::vector<std::string>& directories) {
  std::vector<ReportedRun> runs;
  for (const std::string& directory : directories) {
    for (ReportedRun& run : find_runs(directory)) {
      run.update();
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

void run_report(const ReportOptions& options) {
  if (options.output.empty() && !options.terminal && !options.json) {
    throw CLI::RequiredError("--output, --terminal or --json");
  }
  const std::vector<ReportedRun> runs = read_runs(options.directories);
  if (!options.output.empty()) write_durably(options.output, report_page(runs));
  if (options.terminal)
    std::cout << terminal_report(runs, terminal_width(), takes_colors() ? TerminalColors::kOn : TerminalColors::kOff);
  if (!options.json) return;
  for (const ReportedRun& run : runs) std::cout << summary_json(run) << '\n';
}

}  // namespace

void add_report(CLI::App& app) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand(
      "report", "Shows what runs have done: an offline page of curves, errors and configurations, or the terminal.");
  command->add_option("RUN_DIR", options->directories, "The `output` of runs; of several seeds, all of them")
      ->required();
  command->add_option("--output", options->output, "Write the page to this file");
  command->add_flag("--terminal", options->terminal, "Print a table and charts");
  command->add_flag("--json", options->json, "Print one JSON object a run: its last step, best evaluation and totals");
  command->callback([options] { run_report(*options); });
}

}  // namespace bertha
