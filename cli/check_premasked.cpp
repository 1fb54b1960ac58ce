#include <memory>
#include <string>

#include "cli/commands.h"
#include "train/premasked_child.h"

namespace bertha {
namespace {

struct CheckOptions {
  std::string file;
  int64_t vocabulary_size = 0;
  Objective objective = Objective::kMlm;
};

}  // namespace

void add_check_premasked(CLI::App& app) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand(std::string(kPremaskedChildCommand), "Started by this program itself.");
  command->group("");  // not shown
  command->add_option("FILE", options->file)->required();
  command->add_option("VOCABULARY_SIZE", options->vocabulary_size)->required()->check(CLI::Range(1, INT32_MAX));
  const std::map<std::string, Objective> objectives = {{"mlm", Objective::kMlm}, {"mlm_nsp", Objective::kMlmNsp}};
  command->add_option("OBJECTIVE", options->objective)->required()->transform(CLI::CheckedTransformer(objectives));
  command->callback([options] { run_premasked_child(options->file, options->vocabulary_size, options->objective); });
}

}  // namespace bertha
