#include "train/spike_detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bertha {
namespace {

constexpr double kDeviationsPerMad = 1.4826;  // of a normal distribution

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

struct Spread {
  double median, deviation;
};

Spread spread_of(const std::deque<double>& window) {
  std::vector<double> values(window.begin(), window.end());
  const double middle = median(values);
  for (double& value : values) value = std::abs(value - middle);
  return {middle, kDeviationsPerMad * median(values)};
}

}  // namespace

double robust_z_score(const std::deque<double>& window, double value) {
  if (window.empty()) return 0;
  const Spread spread = spread_of(window);
  return spread.deviation > 0 ? (value - spread.median) / spread.deviation : 0;
}

std::string SpikeDetector::judge(double loss, double gradient_norm) const {
  const std::string by_loss = judge(losses_, loss, "loss");
  return by_loss.empty() ? judge(norms_, gradient_norm, "gradient norm") : by_loss;
}

std::string SpikeDetector::judge(const std::deque<double>& window, double value, const char* name) const {
  if (window.size() < window_) return {};
  const double score = robust_z_score(window, value);
  if (!(score > threshold_)) return {};
  return fmt::format("{} {:.4g} is {:.3g} robust standard deviations above {:.4g}, the median of {} steps", name, value,
                     score, spread_of(window).median, window.size());
}

void SpikeDetector::add_good_step(double loss, double gradient_norm) {
  losses_.push_back(loss);
  norms_.push_back(gradient_norm);
  if (losses_.size() > window_) {
    losses_.pop_front();
    norms_.pop_front();
  }
  in_a_row_ = 0;
}

}  // namespace bertha
