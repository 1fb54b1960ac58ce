#include "train/recipes/pretrain.h"

#include <memory>

#include "cli/run_command.h"
#include "train/recipes/pretraining_plan.h"

namespace bertha {

void add_pretrain(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "pretrain", "Pretrains a model as a YAML file says; the same command resumes. Also runs under mpirun -n N.");
  add_run_options(*command, *options);
  command->callback([options] {
    run_configured<PretrainConfig>({"pretrain", load_pretrain_config, plan_pretraining, pretrain}, *options);
  });
}

}  // namespace bertha
