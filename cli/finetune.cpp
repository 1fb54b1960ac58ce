#include "train/recipes/finetune.h"

#include <iostream>
#include <memory>

#include "cli/run_command.h"
#include "train/comm/failure_watch.h"
#include "train/recipes/finetuning_plan.h"
#include "train/recipes/finetuning_seeds.h"

namespace bertha {
namespace {

void run_finetune(const RunOptions& options) {
  if (options.supervise > 0) {
    run_supervised("finetune", options, load_finetune_config(options.config, options.overrides).output);
  }
  const auto communicator = make_communicator();  // first, so that ranks fail as one
  const FinetuneConfig config = load_finetune_config(options.config, options.overrides);
  if (options.print_config) {
    if (communicator->rank() == 0) std::cout << to_yaml(config);
    return;
  }
  if (options.dry_run) return print_lines(plan_finetuning(config, communicator->size()), *communicator);
  const StopSignals signals = stop_signals_of(*communicator);
  watch_for_stalls(*config.communication.stall_limit);
  Progress progress;
  warn_of_crowded_cores(*communicator, progress);
  if (config.seeds.empty()) {
    finetune(config, *communicator, shown_by(progress));
  } else {
    finetune_seeds(config, *communicator, shown_by(progress));
  }
}

}  // namespace

void add_finetune(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "finetune",
      "Fine-tunes a model directory on a task as a YAML file says; the same command resumes. Also runs under mpirun -n "
      "N.");
  add_run_options(*command, *options);
  command->callback([options] { run_finetune(*options); });
}

}  // namespace bertha
