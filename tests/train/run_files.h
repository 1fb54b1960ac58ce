#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {

/// The lines of a run's history that have `phase`.
inline std::vector<nlohmann::json> metrics_of(const std::string& run, const std::string& phase) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(run + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    lines.push_back(nlohmann::json::parse(line));
    if (lines.back()["phase"] != phase) lines.pop_back();
  }
  return lines;
}

/// What its steps and evaluations gave, without what depends on the machine.
inline std::string results_of(const std::string& run) {
  std::string text;
  for (const char* phase : {"train", "evaluation"}) {
    for (nlohmann::json line : metrics_of(run, phase)) {
      for (const char* key : {"tokens_per_s", "mfu", "communication_share", "peak_rss_mib", "elapsed_s"}) {
        line.erase(key);
      }
      text += line.dump() + "\n";
    }
  }
  return text;
}

inline std::string checkpoint_of(const std::string& run, int64_t step) {
  std::string digits = std::to_string(step);
  digits.insert(0, 8 - digits.size(), '0');
  return run + "/checkpoints/step-" + digits;
}

/// The bytes of a checkpoint's weights.
inline std::string weights_of(const std::string& run, int64_t step) {
  return bytes_of(checkpoint_of(run, step) + "/model.safetensors");
}

/// The same with the optimiser's moments and all else that a run goes on from.
inline std::string state_of(const std::string& run, int64_t step) {
  return weights_of(run, step) + bytes_of(checkpoint_of(run, step) + "/training_state.h5");
}

}  // namespace bertha
