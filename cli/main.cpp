#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "autograd/core/error.h"
#include "autograd/core/exit_code.h"
#include "cli/commands.h"
#include "cli/version.h"
#include "train/comm/communicator.h"
#include "train/comm/failure_watch.h"

namespace {

void register_commands(CLI::App& app) {
  bertha::add_bench(app);
  bertha::add_check_premasked(app);
  bertha::add_evaluate(app);
  bertha::add_finetune(app);
  bertha::add_inspect(app);
  bertha::add_predict(app);
  bertha::add_pretrain(app);
  bertha::add_report(app);
  bertha::add_shard(app);
  bertha::add_tokenize(app);
  bertha::add_visualize(app);
  bertha::add_vocab(app);
}

// In one write, so that lines of several processes and threads do not mix.
void say(const std::string& sentence) {
  const std::string line = "bertha: " + sentence + "\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

// One message for all ranks, which have read the same words.
int report(const CLI::App& app, const CLI::ParseError& error) {
  bertha::let_lower_ranks_report();
  return app.exit(error) == 0 ? bertha::kExitDone : bertha::kExitConfiguration;
}

int run(int argc, char** argv) {
  CLI::App app{"Pretrains and fine-tunes BERT on CPUs, from a folder of text to a finished model."};
  app.name("bertha");
  app.require_subcommand(1);
  app.set_version_flag("--version", bertha::version_text);
  register_commands(app);
  try {
    app.parse(argc, argv);
    const bool written = std::cout.flush().good() && std::fflush(stdout) == 0;
    bertha::check<bertha::Error>(written, "standard output: cannot be written");
    return bertha::kExitDone;
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();  // whoever threw it has said why
  } catch (const CLI::ParseError& error) {
    return report(app, error);
  } catch (const std::exception& error) {
    return bertha::end_with_failure(error);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error like a full disk
  bertha::say_failures_by(say);
  return run(argc, argv);
}
