#include "train/time_budget.h"

#include <algorithm>
#include <utility>

namespace bertha {
namespace {

constexpr double kForgetting = 0.9;  // of the longest step, a step: the first ones are slow
constexpr double kTrialShare = 0.1;

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TimeBudget::TimeBudget(std::chrono::seconds all, double used, std::function<double()> clock)
    : all_(static_cast<double>(all.count())), used_before_(used), clock_(std::move(clock)), start_(clock_()) {}

double TimeBudget::used() const {
  const double used = used_before_ + clock_() - start_;
  return ended_ ? std::max(used, all_) : used;
}

void TimeBudget::finish(Work work) {
  double& longest = longest_[static_cast<size_t>(work)];
  longest = std::max(used() - began_, work == Work::kStep ? kForgetting * longest : longest);
}

double TimeBudget::share() const {
  const double for_steps = all_ - at_end();
  return used() < for_steps ? used() / for_steps : 1;
}

bool TimeBudget::is_last_step(double due) const {
  return used() + due + expected(Work::kStep) + at_end() > all_;
}

bool TimeBudget::is_trial_due(Work work, double share) const {
  const double first_share = used_before_ / all_;
  return expected(work) == 0 && share >= first_share + kTrialShare * (1 - first_share);
}

}  // namespace bertha
