#include "train/run_facts.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "autograd/kernels/isa.h"
#include "data/file.h"

namespace bertha {
namespace {

constexpr uint64_t kLargest = 1 << 16;

// As the kernel names it; empty where it does not say.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t value = line.find(": ");
    if (line.starts_with("model name") && value != std::string::npos) return line.substr(value + 2);
  }
  return {};
}

double memory_mib() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

std::vector<RunFact> read_run_facts(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kRunFactsName);
  std::vector<RunFact> facts;
  if (!path_exists(path)) return facts;
  const auto json = nlohmann::ordered_json::parse(read_text(path, kLargest), nullptr, /*allow_exceptions=*/false);
  check<DamagedFileError>(json.is_object(), path, ": is no JSON object");
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) facts.push_back({name, value.get<std::string>()});
    if (value.is_number()) facts.push_back({name, value.dump(), value.get<double>()});
  }
  return facts;
}

std::optional<double> find_number(const std::vector<RunFact>& facts, std::string_view name) {
  const auto found = std::ranges::find(facts, name, &RunFact::name);
  return found == facts.end() ? std::nullopt : found->number;
}

void write_run_facts(const std::string& directory, const RunFacts& facts) {
  nlohmann::ordered_json json = {{"version", BERTHA_VERSION},
                                 {"parameters", facts.parameters},
                                 {"processor", processor_name()},
                                 {"cores", usable_processors().size()},
                                 {"memory_mib", std::round(memory_mib())},
                                 {"ranks", facts.ranks},
                                 {"threads_per_rank", num_threads()},
                                 {"kernels", kernels::isa_name()},
                                 {"precision", facts.precision == DType::bf16 ? "bf16" : "f32"},
                                 {"peak_gflops", std::round(facts.peak_flops / 1e8) / 10}};
  if (facts.unigram) {
    json["unigram_entropy"] = facts.unigram->entropy;
    json["most_frequent_share"] = facts.unigram->most_frequent_share;
  }
  write_durably(directory + "/" + std::string(kRunFactsName),
                json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace bertha
