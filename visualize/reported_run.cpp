#include "visualize/reported_run.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/metrics.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSeed = "seed-";

bool is_run(const std::string& directory) {
  std::error_code ignored;
  return fs::exists(directory + "/" + std::string(kMetricsName), ignored) ||
         fs::exists(directory + "/config.yaml", ignored);
}

// None for a directory of another name.
std::optional<int64_t> seed_of(std::string_view name) {
  int64_t seed = 0;
  if (!name.starts_with(kSeed)) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data() + kSeed.size(), name.data() + name.size(), seed);
  return error == std::errc{} && end == name.data() + name.size() ? std::optional(seed) : std::nullopt;
}

std::vector<int64_t> seeds_in(const std::string& directory) {
  std::vector<int64_t> seeds;
  for (const std::string& name : names_of_directory(directory)) {
    const std::optional<int64_t> seed = seed_of(name);
    if (seed && is_run(directory + "/" + name)) seeds.push_back(*seed);
  }
  std::ranges::sort(seeds);
  return seeds;
}

}  // namespace

std::vector<ReportedRun> find_runs(const std::string& directory) {
  std::string path = directory;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::error_code ignored;
  check<ConfigError>(fs::exists(path, ignored), path, ": does not exist");
  check<ConfigError>(fs::is_directory(path, ignored), path, ": is not a directory");
  std::vector<ReportedRun> runs;
  if (is_run(path)) {
    runs.emplace_back(path, "");
    return runs;
  }
  for (const int64_t seed : seeds_in(path)) {
    runs.emplace_back(path + "/" + std::string(kSeed) + std::to_string(seed), path);
  }
  check<ConfigError>(!runs.empty(), path, ": is no run directory (it has no ", kMetricsName,
                     ", no config.yaml and no seed-N/ with one)");
  return runs;
}

}  // namespace bertha
