#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bertha {
namespace {

constexpr double kTenth = 0.1;

// As a part of the peak, with `left` of the `decay` that follows the warm-up still to come; `tail`: a tenth of all.
double after_warmup(ScheduleKind kind, double left, double decay, double tail) {
  const double remaining = left > 0 ? left / decay : 0;
  switch (kind) {
    case ScheduleKind::kLinear:
      return remaining;
    case ScheduleKind::kPolynomial:
      return std::sqrt(remaining);
    case ScheduleKind::kCosine:
      return (1 - std::cos(std::numbers::pi * remaining)) / 2;
    case ScheduleKind::kConstant:
      return 1;
    case ScheduleKind::kWarmupStableDecay:
      return std::min(1.0, left / tail);
  }
  return 0;
}

}  // namespace

double Schedule::learning_rate(int64_t step) const {
  const int64_t warmup = warmup_steps.value_or(steps / 10);
  if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
  return peak * after_warmup(kind, static_cast<double>(std::max<int64_t>(steps - step, 0)),
                             static_cast<double>(steps - warmup),
                             static_cast<double>(std::max<int64_t>(steps / 10, 1)));
}

double Schedule::learning_rate(int64_t step, double share) const {
  double warmup = kTenth;
  if (warmup_steps) {
    if (step < *warmup_steps) return peak * static_cast<double>(step + 1) / static_cast<double>(*warmup_steps);
    warmup = step == 0 ? 0 : share * static_cast<double>(*warmup_steps) / static_cast<double>(step);
  } else if (share < warmup) {
    return peak * share / warmup;
  }
  return peak * after_warmup(kind, 1 - share, 1 - warmup, kTenth);
}

}  // namespace bertha
