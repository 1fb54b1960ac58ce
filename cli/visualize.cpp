#include "cli/commands.h"

namespace bertha {

void add_visualize(CLI::App& app) {
  CLI::App* command = app.add_subcommand("visualize", "Shows what is inside a model, on a page that needs no network.");
  command->require_subcommand(1);
  add_visualize_attention(*command);
  add_visualize_embeddings(*command);
}

}  // namespace bertha
