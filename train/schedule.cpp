#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bertha {
namespace {

double after_warmup(const Schedule& schedule, int64_t step) {
  const auto left = static_cast<double>(std::max<int64_t>(schedule.steps - step, 0));
  const double remaining = left / static_cast<double>(std::max<int64_t>(schedule.steps - schedule.warmup_steps, 1));
  switch (schedule.kind) {
    case ScheduleKind::kLinear:
      return remaining;
    case ScheduleKind::kPolynomial:
      return std::sqrt(remaining);
    case ScheduleKind::kCosine:
      return (1 - std::cos(std::numbers::pi * remaining)) / 2;
    case ScheduleKind::kConstant:
      return 1;
    case ScheduleKind::kWarmupStableDecay:
      return std::min(1.0, left / static_cast<double>(std::max<int64_t>(schedule.steps / 10, 1)));
  }
  return 0;
}

}  // namespace

double Schedule::learning_rate(int64_t step) const {
  if (step < warmup_steps) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  return peak * after_warmup(*this, step);
}

}  // namespace bertha
