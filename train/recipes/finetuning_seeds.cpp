#include "train/recipes/finetuning_seeds.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "data/file.h"
#include "train/recipes/finetune.h"
#include "train/recipes/run_setup.h"
#include "train/scores/mean_and_deviation.h"
#include "train/stop_signal.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

// Under the name of its part: validation and test.
std::map<std::string, std::vector<double>> metrics_of_seeds(std::span<const FinetuneResult> results,
                                                            std::vector<std::string>& order) {
  std::map<std::string, std::vector<double>> values;
  for (const FinetuneResult& result : results) {
    for (const auto& [part, metrics] : {std::pair("validation", result.validation), std::pair("test", result.test)}) {
      for (const auto& [name, value] : metrics) {
        const std::string key = std::string(part) + "." + name;
        if (values[key].empty()) order.push_back(key);
        values[key].push_back(value);
      }
    }
  }
  return values;
}

void write_summary(const FinetuneConfig& config, std::span<const FinetuneResult> results, const RunEvents& events) {
  std::vector<std::string> order;
  const auto values = metrics_of_seeds(results, order);
  ordered_json object = {{"seeds", config.seeds}};
  std::string text = fmt::format("{:<32}{:>10}{:>10}  seeds\n", "", "mean", "deviation");
  for (const std::string& key : order) {
    const MeanAndDeviation both = mean_and_deviation(values.at(key));
    object[key] = {{"mean", both.mean}, {"deviation", both.deviation}, {"values", values.at(key)}};
    text += fmt::format("{:<32}{:>10.4f}{:>10.4f} ", key, both.mean, both.deviation);
    for (const double value : values.at(key)) text += fmt::format(" {:.4f}", value);
    text += "\n";
  }
  write_durably(config.output + "/results.json", object.dump(2) + "\n");
  write_durably(config.output + "/results.txt", text);
  events.note(text);
}

FinetuneConfig config_of_seed(const FinetuneConfig& config, int64_t seed) {
  FinetuneConfig one = config;
  one.seeds.clear();
  one.training.seed = seed;
  one.output = fmt::format("{}/seed-{}", config.output, seed);
  return one;
}

// Whether a signal has come on some rank. Collective.
bool has_signal(Communicator& communicator) {
  int64_t ranks = StopSignals::received();
  communicator.all_reduce_sum(std::span<int64_t>(&ranks, 1));
  return ranks > 0;
}

}  // namespace

Trainer::Outcome finetune_seeds(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events) {
  const StopSignals signals;
  std::vector<FinetuneResult> results;
  for (const int64_t seed : config.seeds) {
    const bool stops = has_signal(communicator);
    if (communicator.rank() == 0) {
      events.note(stops ? fmt::format("stopped by a signal before seed {}; the same command continues", seed)
                        : fmt::format("seed {}", seed));
    }
    if (stops) return Trainer::Outcome::kStopped;
    results.push_back(finetune(config_of_seed(config, seed), communicator, events));
    if (results.back().outcome == Trainer::Outcome::kStopped) return Trainer::Outcome::kStopped;
  }
  if (communicator.rank() == 0) write_summary(config, results, events);
  return Trainer::Outcome::kFinished;
}

}  // namespace bertha
