#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/shared_folder.h"
#include "train/checkpoint/safetensors.h"

namespace bertha {

/// The model folders whose results to match: our own and, where they are there, the shared ones; BERTHA_FIXTURES=DIR
/// stands for both.
inline std::vector<std::string> fixture_folders() {
  std::vector<std::filesystem::path> roots = {BERTHA_SOURCE_DIR "/tests/fixtures/models"};
  if (const char* outside = std::getenv("BERTHA_FIXTURES")) {
    roots = {std::filesystem::path(outside) / "models"};
  } else if (const auto shared = shared_folder()) {
    roots.push_back(*shared / "fixtures" / "models");
  }
  std::vector<std::string> folders;
  for (const auto& root : roots) {
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
      if (entry.is_directory()) folders.push_back(entry.path());
    }
  }
  std::ranges::sort(folders);
  return folders;
}

inline bool is_trajectory(const std::string& folder) {
  return std::filesystem::path(folder).filename().string().starts_with("trajectory");
}

inline std::vector<int64_t> integers(const SafetensorsFile& file, const std::string& name) {
  std::vector<int64_t> values(static_cast<size_t>(file.at(name).numel()));
  file.read(name, std::span<int64_t>(values));
  return values;
}
inline std::vector<float> floats(const SafetensorsFile& file, const std::string& name) {
  std::vector<float> values(static_cast<size_t>(file.at(name).numel()));
  file.read(name, std::span<float>(values));
  return values;
}

inline double max_difference(std::span<const float> a, std::span<const float> b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - b[i]);
    worst = std::max(worst, std::isnan(d) ? INFINITY : d);
  }
  return worst;
}

}  // namespace bertha
