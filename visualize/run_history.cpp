#include "visualize/run_history.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <utility>

#include "data/file.h"

namespace bertha {
namespace {

constexpr uint64_t kPiece = 1 << 20;      // of a file, that is read at once
constexpr size_t kLongestLine = 1 << 16;  // what is longer is no line of metrics
constexpr size_t kRemembered = 512;       // bytes by which a file is known again
constexpr size_t kMostCurves = 100;       // of a phase
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

MetricsHistory::MetricsHistory(std::string directory) : directory_(std::move(directory)) {}

void MetricsHistory::update() {
  const std::string path = directory_ + "/" + std::string(kMetricsName);
  if (!std::filesystem::exists(path)) {
    *this = MetricsHistory(directory_);
    return;
  }
  const InputFile file(path);
  const auto read = [&file](uint64_t begin, uint64_t size) {
    std::string text(size, '\0');
    file.read(begin, std::as_writable_bytes(std::span(text)));
    return text;
  };
  if (file.size() < begin_ || read(begin_ - before_.size(), before_.size()) != before_)
    *this = MetricsHistory(directory_);
  torn_ = false;
  while (begin_ < file.size() && !torn_) {
    const std::string piece = read(begin_, std::min(kPiece, file.size() - begin_));
    const size_t taken = take_lines(piece);
    begin_ += taken;
    if (taken > 0) before_ = piece.substr(taken - std::min(taken, kRemembered), std::min(taken, kRemembered));
    torn_ = taken < piece.size() && begin_ + piece.size() - taken == file.size();
  }
  torn_ = torn_ || within_line_;
}

// Takes whole lines, and of one that is too long all there is; says how many bytes those are.
size_t MetricsHistory::take_lines(std::string_view text) {
  size_t taken = 0;
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n', taken)) {
    const std::string_view line = text.substr(taken, end - taken);
    if (std::exchange(within_line_, false) || line.size() > kLongestLine) {
      ++damaged_;
    } else {
      take_line(line);
    }
    taken = end + 1;
  }
  if (!within_line_ && text.size() - taken <= kLongestLine) return taken;
  within_line_ = true;
  return text.size();
}

void MetricsHistory::take_line(std::string_view text) {
  const auto line = parse_metrics_line(text);
  ++(line && add(*line) ? lines_ : damaged_);
}

// False where the line is not of a later step than those before.
bool MetricsHistory::add(const MetricsLine& line) {
  if (line.step < 0) return false;
  if (line.phase == "train") {
    if (line.step <= last_step_) return false;
    note_time(line);
    add_training(line);
    return true;
  }
  if (line.phase == "evaluation" && line.step <= last_evaluation_) return false;
  note_time(line);
  if (line.phase == "evaluation") {
    last_evaluation_ = line.step;
    for (const auto& [name, value] : line.values) {
      if (name != kTokens && name != kSeconds) add_value(evaluation_, name, line.step, value);
    }
  } else if (line.phase == "checkpoint") {
    checkpoints_.add({line.step});
  } else if (line.phase == "rewind") {
    rewinds_.add({line.step, to_step(line.find("from_step").value_or(0))});
  }
  return true;
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
