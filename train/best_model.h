#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace bertha {

/// Which evaluation of a run was the best so far, and when to stop waiting for a better one.
class BestModel {
 public:
  /// `metric`: the higher, the better. `patience`: evaluations without a better one that end the run.
  BestModel(std::string metric, std::optional<int64_t> patience) : metric_(std::move(metric)), patience_(patience) {}

  const std::string& metric() const { return metric_; }

  /// Whether this evaluation, of a model after `step` steps, is better than all before. NaN never is, unless it is the
  /// first: a run keeps some model.
  bool add(int64_t step, double value);

  /// Whether patience is at its end.
  bool is_over() const { return patience_ && without_better_ >= *patience_; }

  /// The step of the best; none before the first evaluation.
  std::optional<int64_t> step() const { return step_; }

 private:
  std::string metric_;
  std::optional<int64_t> patience_;
  std::optional<int64_t> step_;
  double value_ = 0;
  int64_t without_better_ = 0;
};

}  // namespace bertha
