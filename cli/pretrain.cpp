#include "train/recipes/pretrain.h"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/progress.h"
#include "train/recipes/pretraining_plan.h"

namespace bertha {
namespace {

struct PretrainOptions {
  std::string config;
  std::vector<std::string> overrides;
  bool print_config = false, dry_run = false;
};

void run_pretrain(const PretrainOptions& options) {
  const PretrainConfig config = load_pretrain_config(options.config, options.overrides);
  const auto communicator = make_communicator();
  if (options.print_config) {
    if (communicator->rank() == 0) std::cout << to_yaml(config);
    return;
  }
  Progress progress;
  if (options.dry_run) {
    const auto lines = plan_pretraining(config, communicator->size());
    if (communicator->rank() == 0) {
      for (const std::string& line : lines) std::cout << line << '\n';
    }
    return;
  }
  warn_of_crowded_cores(*communicator, progress);
  pretrain(config, *communicator,
           {.note = [&](const std::string& sentence) { progress.note(sentence); },
            .metrics = [&](const MetricsLine& line, int64_t steps) { progress.metrics(line, steps); }});
}

}  // namespace

void add_pretrain(CLI::App& app) {
  const auto options = std::make_shared<PretrainOptions>();
  CLI::App* command = app.add_subcommand(
      "pretrain", "Pretrains a model as a YAML file says; the same command resumes. Also runs under mpirun -n N.");
  command->add_option("CONFIG", options->config, "A YAML file")->required();
  command->add_option("OVERRIDES", options->overrides, "key.path=value, instead of what the file says");
  command->add_flag("--print-config", options->print_config, "Print the resolved configuration and end");
  command->add_flag("--dry-run", options->dry_run, "Check everything that can be checked, print the plan and end");
  command->callback([options] { run_pretrain(*options); });
}

}  // namespace bertha
