#include "train/metrics.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace bertha {
namespace {

using nlohmann::ordered_json;

constexpr const char* kLinesName = "/metrics.jsonl";
constexpr const char* kEventsName = "/events.out.tfevents.bertha";

// Bytes of `path` that hold whole lines of steps up to `step`, from the front.
int64_t bytes_to_keep(const std::string& path, int64_t step) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  int64_t kept = 0;
  while (std::getline(file, line) && !file.eof()) {
    const auto object = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() || !object.contains("step") || !object["step"].is_number_integer()) break;
    if (object["step"].get<int64_t>() > step) break;
    kept += static_cast<int64_t>(line.size()) + 1;
  }
  return kept;
}

}  // namespace

std::string to_json(const MetricsLine& line) {
  ordered_json object = {{"phase", line.phase}, {"step", line.step}};
  for (const auto& [name, value] : line.values) {
    const bool whole = std::abs(value) < 0x1p53 && value == std::floor(value);
    if (whole) {
      object[name] = static_cast<int64_t>(value);
    } else {
      object[name] = value;
    }
  }
  return object.dump();
}

std::vector<std::pair<int64_t, double>> evaluation_history(const std::string& directory, const std::string& metric,
                                                           int64_t step) {
  std::vector<std::pair<int64_t, double>> history;
  std::ifstream file(directory + kLinesName, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    const auto object = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() || object.value("phase", "") != "evaluation" || !object.contains(metric)) continue;
    const auto at = object.value("step", int64_t{0});
    if (at > step) break;
    history.emplace_back(at, object[metric].is_number() ? object[metric].get<double>() : NAN);
  }
  return history;
}

MetricsLog::MetricsLog(const std::string& directory, int64_t step)
    : lines_(directory + kLinesName, bytes_to_keep(directory + kLinesName, step)),
      events_(directory + kEventsName, step) {}

void MetricsLog::write(const MetricsLine& line) {
  lines_.append(to_json(line) + "\n");
  events_.write(line.step, line.phase, line.values);
}

}  // namespace bertha
