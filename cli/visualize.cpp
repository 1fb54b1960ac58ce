#include "cli/commands.h"

namespace bertha {

void add_visualize(CLI::App& app) {
  CLI::App* command = app.add_subcommand("visualize", "Turns a model into a page that opens offline in any browser.");
  command->require_subcommand(1);
  add_visualize_embeddings(*command);
}

}  // namespace bertha
