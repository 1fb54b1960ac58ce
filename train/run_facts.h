#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/core/dtype.h"
#include "data/unigram.h"

namespace bertha {

/// The name in a run directory.
inline constexpr std::string_view kRunFactsName = "run.json";

/// What a run computes with and on, as it was last started.
struct RunFacts {
  DType precision = DType::f32;
  double peak_flops = 0;  // of all ranks, a second
  int ranks = 1;
  int64_t parameters = 0;
  std::optional<Unigram> unigram = {};  // of the training text, where there is one
};

/// One of them as run.json has it.
struct RunFact {
  std::string name, text;
  std::optional<double> number = {};  // where it is one
};

/// What run.json of a run directory says, in its order; nothing where there is no such file. Throws DamagedFileError
/// where it is no JSON object, and what reading throws.
std::vector<RunFact> read_run_facts(const std::string& directory);

/// None where there is no number of the name.
std::optional<double> find_number(const std::vector<RunFact>& facts, std::string_view name);

/// Writes them into a run directory with what this process sees of its machine: one JSON object of names and values.
/// Throws Error.
void write_run_facts(const std::string& directory, const RunFacts& facts);

}  // namespace bertha
