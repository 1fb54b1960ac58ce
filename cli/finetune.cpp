#include "train/recipes/finetune.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/progress.h"

namespace bertha {
namespace {

struct FinetuneOptions {
  std::string config;
  std::vector<std::string> overrides;
  bool print_config = false, dry_run = false;
};

void run_finetune(const FinetuneOptions& options) {
  const FinetuneConfig config = load_finetune_config(options.config, options.overrides);
  const auto communicator = make_communicator();
  const bool reports = communicator->rank() == 0;
  if (options.print_config) {
    if (reports) std::cout << to_yaml(config);
    return;
  }
  if (options.dry_run) {
    const std::vector<std::string> lines = plan_finetuning(config, communicator->size());
    if (reports) {
      for (const std::string& line : lines) std::cout << line << '\n';
    }
    return;
  }
  Progress progress;
  warn_of_crowded_cores(*communicator, progress);
  const RunEvents events = {.note = [&](const std::string& sentence) { progress.note(sentence); },
                            .metrics = [&](const MetricsLine& line, int64_t steps) { progress.metrics(line, steps); }};
  if (config.seeds.empty()) {
    finetune(config, *communicator, events);
  } else {
    finetune_seeds(config, *communicator, events);
  }
}

}  // namespace

void add_finetune(CLI::App& app) {
  const auto options = std::make_shared<FinetuneOptions>();
  CLI::App* command = app.add_subcommand(
      "finetune",
      "Fine-tunes a model directory on a task as a YAML file says; the same command resumes. Also runs under mpirun -n "
      "N.");
  command->add_option("CONFIG", options->config, "A YAML file")->required();
  command->add_option("OVERRIDES", options->overrides, "key.path=value, instead of what the file says");
  command->add_flag("--print-config", options->print_config, "Print the resolved configuration and end");
  command->add_flag("--dry-run", options->dry_run, "Check everything that can be checked, print the plan and end");
  command->callback([options] { run_finetune(*options); });
}

}  // namespace bertha
