#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

namespace bertha {
namespace {

using nlohmann::ordered_json;

constexpr const char* kEventsName = "/events.out.tfevents.bertha";

std::string lines_of(const std::string& directory) {
  return directory + "/" + std::string(kMetricsName);
}

// Bytes of `path` up to its last whole line before the first of a step after `step`.
int64_t bytes_to_keep(const std::string& path, int64_t step) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  int64_t read = 0;
  int64_t kept = 0;
  while (std::getline(file, text) && !file.eof()) {
    read += static_cast<int64_t>(text.size()) + 1;
    const auto line = parse_metrics_line(text);
    if (!line) continue;
    if (line->step > step) break;
    kept = read;
  }
  return kept;
}

}  // namespace

std::optional<double> MetricsLine::find(std::string_view name) const {
  const auto found = std::ranges::find(values, name, &std::pair<std::string, double>::first);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

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

std::optional<MetricsLine> parse_metrics_line(std::string_view text) {
  const auto object = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto phase = object.find("phase"), step = object.find("step");
  if (phase == object.end() || !phase->is_string() || step == object.end() || !step->is_number_integer()) {
    return std::nullopt;
  }
  MetricsLine line{phase->get<std::string>(), step->get<int64_t>(), {}};
  for (const auto& [name, value] : object.items()) {
    if (name == "phase" || name == "step") continue;
    if (value.is_number() || value.is_null()) line.add(name, value.is_null() ? NAN : value.get<double>());
  }
  return line;
}

int64_t last_metrics_step(const std::string& directory) {
  constexpr std::streamoff kTail = 1 << 16;
  std::ifstream file(lines_of(directory), std::ios::binary | std::ios::ate);
  file.seekg(std::max<std::streamoff>(0, file.tellg() - kTail));
  int64_t step = 0;
  for (std::string text; std::getline(file, text);) {
    if (const auto line = parse_metrics_line(text)) step = line->step;
  }
  return step;
}

MetricsLog::MetricsLog(const std::string& directory, int64_t step)
    : lines_(lines_of(directory), bytes_to_keep(lines_of(directory), step)), events_(directory + kEventsName, step) {}

void MetricsLog::write(const MetricsLine& line) {
  lines_.append(to_json(line) + "\n");
  events_.write(line.step, line.phase, line.values);
}

void MetricsLog::sync() {
  lines_.sync();
  events_.sync();
}

}  // namespace bertha
