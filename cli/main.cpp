#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <new>

#include "autograd/core/error.h"
#include "cli/commands.h"
#include "cli/version.h"
#include "train/comm/communicator.h"

namespace {

int exit_code(const std::exception& error) {
  if (dynamic_cast<const bertha::ConfigError*>(&error)) return 2;
  if (dynamic_cast<const bertha::DamagedFileError*>(&error)) return 3;
  if (dynamic_cast<const bertha::MismatchError*>(&error)) return 4;
  return 1;
}

void register_commands(CLI::App& app) {
  bertha::add_bench(app);
  bertha::add_evaluate(app);
  bertha::add_finetune(app);
  bertha::add_inspect(app);
  bertha::add_predict(app);
  bertha::add_pretrain(app);
  bertha::add_shard(app);
  bertha::add_tokenize(app);
  bertha::add_vocab(app);
}

// One message for all ranks: the lowest that fails speaks, and takes the others with it.
int report(const std::function<int()>& say) {
  bertha::let_lower_ranks_report();
  const int code = say();
  if (code != 0) bertha::abort_all_ranks(code);
  return code;
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
    return 0;
  } catch (const CLI::ParseError& error) {
    return report([&] { return app.exit(error) == 0 ? 0 : 2; });
  } catch (const std::bad_alloc&) {
    return report([] {
      std::fputs("bertha: out of memory\n", stderr);
      return 1;
    });
  } catch (const std::exception& error) {
    return report([&] {
      std::fprintf(stderr, "bertha: %s\n", error.what());
      return exit_code(error);
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error like a full disk
  return run(argc, argv);
}
