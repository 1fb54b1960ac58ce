#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "data/file.h"
#include "data/printable.h"
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

void print_notes(const std::vector<ReportedRun>& runs) {
  for (const ReportedRun& run : runs) {
    for (const std::string& note : summarize(run).notes)
      fmt::print(stderr, "{}\n", printable(run.name() + ": " + note));
  }
}

void run_report(const ReportOptions& options) {
  if (options.output.empty() && !options.terminal && !options.json) {
    throw CLI::RequiredError("--output, --terminal or --json");
  }
  const std::vector<ReportedRun> runs = read_runs(options.directories);
  if (!options.output.empty()) {
    const std::string page = report_page(runs);
    write_durably(options.output, page);
    print_notes(runs);
    if (!options.json) say_written(options.output, page.size());
  }
  if (options.terminal) std::cout << terminal_report(runs, terminal_width(), terminal_colors());
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
  command->add_option("--output", options->output, "Write the page to this file")->check(output_file());
  command->add_flag("--terminal", options->terminal, "Print a table and charts");
  command->add_flag("--json", options->json, "Print one JSON object a run: its last step, best evaluation and totals");
  command->callback([options] { run_report(*options); });
}

}  // namespace bertha
