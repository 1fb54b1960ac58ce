#pragma once

#include <CLI/CLI.hpp>

namespace bertha {

// Each registers one command with its options and what to run.
void add_tokenize(CLI::App& app);

}  // namespace bertha
