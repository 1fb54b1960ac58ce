#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bertha {

/// What the command line of `bertha inspect` and its subcommands says.
struct InspectOptions {
  std::string path;
  std::string other;  // of diff
  std::string filter;
  bool json = false;
  bool stats = false;    // of tensors, or of sequences
  bool moments = false;  // of a checkpoint's optimiser, too
  bool advice = false;   // of a run
  std::optional<int64_t> samples;
  std::string vocab;
};

}  // namespace bertha
