#include "train/run_facts.h"

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/parallel.h"
#include "autograd/kernels/isa.h"
#include "data/file.h"

namespace bertha {
namespace {

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
