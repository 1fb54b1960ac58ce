#include <fmt/format.h>

#include "train/inspect/advice.h"
#include "train/inspect/step_windows.h"

namespace bertha {
namespace {

constexpr double kMuchSlower = 0.8;  // of the median speed
constexpr double kMuchCommunication = 0.2;

}  // namespace

std::optional<Advice> slower_steps(const RunEvidence& evidence) {
  const Steps steps(evidence.history.steps);
  if (steps.size() < kLeastSteps) return std::nullopt;
  const double usual = median_of(steps, &TrainStep::tokens_per_s);
  const double now = median_of(recent(steps), &TrainStep::tokens_per_s);
  if (!(now < kMuchSlower * usual)) return std::nullopt;
  return Advice{"slower_steps",
                fmt::format("{:.0f} tokens/s in the newest steps, {:.0f} over the run", now, usual),
                {{"tokens_per_s", now}, {"median_tokens_per_s", usual}},
                "look for other work on the cores, lower clock rates, swapping or a slow disk"};
}

std::optional<Advice> much_communication(const RunEvidence& evidence) {
  const Steps steps(evidence.history.steps);
  if (steps.size() < kLeastSteps) return std::nullopt;
  const double share = median_of(recent(steps), &TrainStep::communication_share);
  if (!(share > kMuchCommunication)) return std::nullopt;
  return Advice{"much_communication",
                fmt::format("{:.0f} % of a step is waiting for other ranks", 100 * share),
                {{"communication_share", share}},
                "a larger global batch, communication.overlap, fewer ranks with more threads, or a faster network; one "
                "slow rank holds up all"};
}

}  // namespace bertha
