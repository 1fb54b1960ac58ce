#include "visualize/run_history.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bertha {
namespace {

constexpr size_t kMostCurves = 100;  // of a phase
constexpr const char* kTokens = "tokens";
constexpr const char* kSeconds = "elapsed_s";
constexpr const char* kSkipped = "skipped";

// Of a number that may be any.
int64_t to_step(double number) {
  return number >= 0 && number < 0x1p53 ? static_cast<int64_t>(number) : 0;
}

// None where there are too many already.
Curve* curve_for(Curves& curves, const std::string& name) {
  const auto found = std::ranges::find(curves, name, &Curves::value_type::first);
  if (found != curves.end()) return &found->second;
  if (curves.size() == kMostCurves) return nullptr;
  return &curves.emplace_back(name, Curve()).second;
}

void add_value(Curves& curves, const std::string& name, int64_t step, double value) {
  if (Curve* curve = curve_for(curves, name)) curve->add(step, value);
}

}  // namespace

const Curve* find_curve(const Curves& curves, std::string_view name) {
  const auto found = std::ranges::find(curves, name, &Curves::value_type::first);
  return found == curves.end() ? nullptr : &found->second;
}

void Marks::add(Mark mark) {
  ++count_;
  if (shown_.size() == 2 * kMost) shown_.erase(shown_.begin(), shown_.begin() + kMost);
  shown_.push_back(mark);
}

MetricsHistory::MetricsHistory(std::string directory) : directory_(std::move(directory)), reader_(directory_) {}

void MetricsHistory::update() {
  if (reader_.was_cut()) *this = MetricsHistory(directory_);
  reader_.read([this](const MetricsLine& line) { add(line); });
}

void MetricsHistory::add(const MetricsLine& line) {
  note_time(line);
  if (line.phase == "train") {
    add_training(line);
  } else if (line.phase == "evaluation") {
    for (const auto& [name, value] : line.values) {
      if (name != kTokens && name != kSeconds) add_value(evaluation_, name, line.step, value);
    }
  } else if (line.phase == "checkpoint") {
    checkpoints_.add({line.step});
  } else if (line.phase == "rewind") {
    rewinds_.add({line.step, to_step(line.find("from_step").value_or(0))});
  }
}

void MetricsHistory::add_training(const MetricsLine& line) {
  last_step_ = line.step;
  for (const auto& [name, value] : line.values) {
    if (name == kSkipped) {
      skipped_.add({line.step});
    } else {
      add_value(training_, name, line.step, name == kSeconds ? elapsed_seconds() : value);
    }
  }
}

// Each start of a run counts from zero.
void MetricsHistory::note_time(const MetricsLine& line) {
  const double seconds = line.find(kSeconds).value_or(seconds_);
  if (!std::isfinite(seconds)) return;
  if (seconds < seconds_) {
    earlier_seconds_ += seconds_;
    starts_.add({line.step});
  }
  seconds_ = seconds;
}

}  // namespace bertha
