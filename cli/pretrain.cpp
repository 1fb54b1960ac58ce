#include "train/recipes/pretrain.h"

#include <iostream>
#include <memory>

#include "cli/run_command.h"
#include "train/comm/failure_watch.h"
#include "train/recipes/pretraining_plan.h"

namespace bertha {
namespace {

void run_pretrain(const RunOptions& options) {
  if (options.supervise > 0) {
    run_supervised("pretrain", options, load_pretrain_config(options.config, options.overrides).output);
  }
  const auto communicator = make_communicator();  // first, so that ranks fail as one
  const PretrainConfig config = load_pretrain_config(options.config, options.overrides);
  if (options.print_config) {
    if (communicator->rank() == 0) std::cout << to_yaml(config);
    return;
  }
  if (options.dry_run) return print_lines(plan_pretraining(config, communicator->size()), *communicator);
  const StopSignals signals = stop_signals_of(*communicator);
  watch_for_stalls(*config.communication.stall_limit);
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
