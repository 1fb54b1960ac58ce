#include "train/recipes/pretrain.h"

#include <iostream>
#include <memory>

#include "cli/run_command.h"
#include "train/recipes/pretraining_plan.h"

namespace bertha {
namespace {

void run_pretrain(const RunOptions& options) {
  const PretrainConfig config = load_pretrain_config(options.config, options.overrides);
  const auto communicator = make_communicator();
  if (options.print_config) {
    if (communicator->rank() == 0) std::cout << to_yaml(config);
    return;
  }
  if (options.dry_run) return print_lines(plan_pretraining(config, communicator->size()), *communicator);
  Progress progress;
  warn_of_crowded_cores(*communicator, progress);
  pretrain(config, *communicator, shown_by(progress));
}

}  // namespace

void add_pretrain(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "pretrain", "Pretrains a model as a YAML file says; the same command resumes. Also runs under mpirun -n N.");
  add_run_options(*command, *options);
  command->callback([options] { run_pretrain(*options); });
}

}  // namespace bertha
