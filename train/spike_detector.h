#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace bertha {

/// What happens at a step whose loss or gradient norm is far above those before it, or is not finite.
enum class SpikeAction {
  kNone,    // nothing; a number that is not finite ends the run with an error
  kSkip,    // its update is left out
  kRewind,  // back to the newest good checkpoint, and on with the samples behind it
  kStop,    // a checkpoint of the state before it, then an error
};

struct SpikeOptions {
  SpikeAction action = SpikeAction::kNone;
  double threshold = 10;  // robust standard deviations above the median
  int64_t window = 100;   // steps before the judged one
};

/// (value - median) / (1.4826 MAD) of `window`, MAD being the median distance from its median: for normally distributed
/// numbers the count of standard deviations, which a few outliers in the window do not change. 0 where the window does
/// not vary. Source: Iglewicz & Hoaglin 1993, "How to detect and handle outliers", whose factor 0.6745 is 1 / 1.4826.
double robust_z_score(const std::deque<double>& window, double value);

/// Judges steps by their loss and their gradient norm, each by the same of the `window` newest good steps. What it
/// knows is in metrics.jsonl, so a resumed run judges as one that was never stopped.
class SpikeDetector {
 public:
  SpikeDetector(double threshold, int64_t window) : threshold_(threshold), window_(static_cast<size_t>(window)) {}

  /// Why a step is a spike; empty where it is none or fewer than `window` good steps are known. A fall is no spike.
  std::string judge(double loss, double gradient_norm) const;

  void add_good_step(double loss, double gradient_norm);
  void add_spike() { ++in_a_row_; }

  /// Spikes since the newest good step.
  int64_t in_a_row() const { return in_a_row_; }

 private:
  std::string judge(const std::deque<double>& window, double value, const char* name) const;

  double threshold_;
  size_t window_;
  std::deque<double> losses_, norms_;
  int64_t in_a_row_ = 0;
};

}  // namespace bertha
