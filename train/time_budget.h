#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

namespace bertha {

/// Seconds since some moment of the past, by a clock that never goes back.
double steady_seconds();

/// The time of a run whose length is a time: how much is used, and which step has to be the last so that an evaluation
/// and a checkpoint behind it still fit. Times are in seconds.
class TimeBudget {
 public:
  /// `used` by earlier starts of the run; `clock` tells the time since any moment.
  TimeBudget(std::chrono::seconds all, double used, std::function<double()> clock);

  /// Whether earlier starts used all of it.
  bool was_spent() const { return used_before_ >= all_; }

  /// By all starts of the run together.
  double used() const;

  /// What is left is too short for another step: from now on all is used.
  void end() { ended_ = true; }

  enum class Work { kStep, kEvaluation, kCheckpoint };

  /// Around each piece of work: the next of its kind is expected to take no longer.
  void begin() { began_ = used(); }
  void finish(Work work);

  /// The used share, 0 to 1, of what steps may use: all but one evaluation and one checkpoint at the end.
  double share() const;

  /// Whether there is no time for another step behind work that is `due` before it.
  bool is_last_step(double due) const;

  /// What one is expected to take; 0 where none was made yet.
  double expected(Work work) const { return longest_[static_cast<size_t>(work)]; }

  /// Whether one should be made for its duration to be known: none was, and a tenth of the time is over.
  bool is_trial_due(Work work, double share) const;

 private:
  double at_end() const { return expected(Work::kEvaluation) + expected(Work::kCheckpoint); }

  double all_, used_before_;
  std::function<double()> clock_;
  double start_;
  double began_ = 0;
  std::array<double, 3> longest_{};
  bool ended_ = false;
};

}  // namespace bertha
