#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/temporary_directory.h"

namespace bertha {

struct CommandResult {
  int exit_code = -1;
  std::string out, err;
};

/// Runs a shell command with `input` on its standard input.
inline CommandResult run_command(const std::string& command, const std::string& input) {
  const TemporaryDirectory folder;
  const auto read = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::ofstream(folder / "in", std::ios::binary) << input;
  const int status =
      std::system((command + " <" + (folder / "in") + " >" + (folder / "out") + " 2>" + (folder / "err")).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder / "out"), read(folder / "err")};
}

/// Runs the binary with `arguments`, as a shell reads them.
inline CommandResult run_bertha(const std::string& arguments, const std::string& input) {
  return run_command(std::string(BERTHA_BINARY) + " " + arguments, input);
}

}  // namespace bertha
