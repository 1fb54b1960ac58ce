#include "train/recipes/finetune.h"

#include <memory>

#include "cli/run_command.h"
#include "train/recipes/finetuning_plan.h"
#include "train/recipes/finetuning_seeds.h"

namespace bertha {
namespace {

void run_finetune(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events) {
  if (config.seeds.empty()) {
    finetune(config, communicator, events);
  } else {
    finetune_seeds(config, communicator, events);
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
  command->callback([options] {
    run_configured<FinetuneConfig>({"finetune", load_finetune_config, plan_finetuning, run_finetune}, *options);
  });
}

}  // namespace bertha
