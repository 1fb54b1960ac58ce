#include <cstdio>
#include <exception>
#include <new>

#include "autograd/core/error.h"
#include "cli/commands.h"

namespace {

int exit_code(const std::exception& error) {
  if (dynamic_cast<const bertha::ConfigError*>(&error)) return 2;
  if (dynamic_cast<const bertha::DamagedFileError*>(&error)) return 3;
  if (dynamic_cast<const bertha::MismatchError*>(&error)) return 4;
  return 1;
}

int run(int argc, char** argv) {
  CLI::App app{"Pretrains and fine-tunes BERT on CPUs, from a folder of text to a finished model."};
  app.name("bertha");
  app.require_subcommand(1);
  app.set_version_flag("--version", "bertha " BERTHA_VERSION);
  bertha::add_bench(app);
  bertha::add_predict(app);
  bertha::add_tokenize(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "bertha: out of memory\n");
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bertha: %s\n", error.what());
    return exit_code(error);
  }
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
