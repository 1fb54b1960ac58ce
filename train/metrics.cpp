#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>

#include "autograd/core/error.h"
#include "data/file.h"
#include "train/metrics_reader.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;

constexpr const char* kEventsName = "/events.out.tfevents.bertha";

std::string lines_of(const std::string& directory) {
  return directory + "/" + std::string(kMetricsName);
}

// Bytes up to the last whole line before those of steps after `step`. A damaged step among the others must neither cut
// the history nor keep what is to be cut: the end is where most lines before it are of steps up to `step`, and most
// behind it are not.
int64_t bytes_to_keep(const std::string& directory, int64_t step) {
  MetricsReader reader(directory);
  uint64_t kept = 0;
  int64_t balance = 0, best = 0;
  reader.read([&](const MetricsLine& line) {
    const bool is_later = line.step > step;
    balance += is_later ? -1 : 1;
    if (is_later || balance < best) return;
    best = balance;
    kept = reader.line_end();
  });
  return static_cast<int64_t>(kept);
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
  constexpr uint64_t kTail = 1 << 16;
  int64_t step = 0;
  try {
    const InputFile file(lines_of(directory));
    std::string tail(std::min(kTail, file.size()), '\0');
    file.read(file.size() - tail.size(), std::as_writable_bytes(std::span(tail)));
    std::istringstream lines(tail);
    for (std::string text; std::getline(lines, text);) {
      if (const auto line = parse_metrics_line(text)) step = line->step;
    }
  } catch (const Error&) {
    return 0;
  }
  return step;
}

MetricsLog::MetricsLog(const std::string& directory, int64_t step)
    : lines_(lines_of(directory), bytes_to_keep(directory, step)), events_(directory + kEventsName, step) {}

void MetricsLog::write(const MetricsLine& line) {
  lines_.append(to_json(line) + "\n");
  events_.write(line.step, line.phase, line.values);
}

void MetricsLog::sync() {
  lines_.sync();
  events_.sync();
}

}  // namespace bertha
