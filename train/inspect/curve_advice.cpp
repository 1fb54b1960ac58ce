#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "train/inspect/advice.h"
#include "train/inspect/step_windows.h"
#include "train/spike_detector.h"

namespace bertha {
namespace {

constexpr double kSpikeDeviations = 10;
constexpr int64_t kSpikeWindow = 50;
constexpr int64_t kManySpikes = 3;
constexpr double kRise = 0.1, kRelativeRise = 0.1;  // above the lowest loss: nats, and a share of it
constexpr double kGrowth = 3;                       // of the gradient norm from the second to the last quarter
constexpr double kOftenClipped = 0.5;
constexpr double kAtOnce = 0.9;  // of the highest learning rate
constexpr double kLowForPretraining = 2e-5, kLowForFinetuning = 2e-6;
constexpr double kHighForPretraining = 5e-3;
constexpr const char* kUsualForPretraining = "1e-4 for large models and batches, up to 2e-3 for small ones";
constexpr double kWorse = 0.01;  // than the best evaluation, as a share of it
constexpr std::ptrdiff_t kEvaluationsAfterBest = 2;

bool starts_from_scratch(const RunEvidence& evidence) {
  const auto& pretraining = evidence.configuration.pretraining;
  return pretraining && pretraining->model.initialize_from.empty();
}

/// The training loss of the steps around one.
double loss_near(Steps steps, int64_t step) {
  const auto size = static_cast<int64_t>(recent(steps).size());
  const auto end = std::ranges::upper_bound(steps, step, {}, &TrainStep::step) - steps.begin();
  const auto begin = std::max<int64_t>(0, end - size);
  return mean_of(steps.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), &TrainStep::loss);
}

/// That a run is no further than when it began.
std::optional<Advice> nothing_learnt(const RunEvidence& evidence) {
  const Steps steps(evidence.history.steps), later = warm(evidence);
  if (later.size() < kLeastSteps || steps.front().step != 1) return std::nullopt;
  const double first = steps.front().loss, since = mean_of(later, &TrainStep::loss);
  if (!(since >= first)) return std::nullopt;
  return Advice{"",
                fmt::format("the training loss was {:.3f} at step 1 and {:.3f} behind the warm-up", first, since),
                {{"first_loss", first}, {"mean_loss", since}},
                ""};
}

}  // namespace

// Of pretraining: in fine-tuning the loss of a small batch may well be many times the median.
std::optional<Advice> loss_spikes(const RunEvidence& evidence) {
  if (!evidence.configuration.pretraining) return std::nullopt;
  SpikeDetector detector(kSpikeDeviations, kSpikeWindow);
  int64_t spikes = 0, newest = 0;
  for (const TrainStep& step : evidence.history.steps) {
    const bool finite = std::isfinite(step.loss) && std::isfinite(step.grad_norm);
    if (step.skipped || !finite || !detector.judge(step.loss, step.grad_norm).empty()) {
      ++spikes;
      newest = step.step;
    } else {
      detector.add_good_step(step.loss, step.grad_norm);
    }
  }
  if (spikes < kManySpikes) return std::nullopt;
  return Advice{"loss_spikes",
                fmt::format("{} steps stand out in loss or gradient norm by more than {:.0f} robust deviations", spikes,
                            kSpikeDeviations),
                {{"spikes", static_cast<double>(spikes)}, {"newest_step", static_cast<double>(newest)}},
                "a lower learning rate or a longer warm-up; `spikes.action: skip` leaves such updates out"};
}

std::optional<Advice> diverging(const RunEvidence& evidence) {
  const Steps steps(evidence.history.steps);
  if (steps.size() < kLeastSteps) return std::nullopt;
  const size_t size = recent(steps).size();
  double lowest = INFINITY;
  int64_t step_of_lowest = 0;
  for (size_t begin = 0; begin + size <= steps.size(); begin += size) {
    const Steps window = steps.subspan(begin, size);
    const double loss = mean_of(window, &TrainStep::loss);
    if (!(loss < lowest)) continue;
    lowest = loss;
    step_of_lowest = window.back().step;
  }
  const double now = mean_of(recent(steps), &TrainStep::loss);
  if (!(now > lowest + kRise + kRelativeRise * std::abs(lowest))) return std::nullopt;
  return Advice{"diverging",
                fmt::format("the training loss is {:.3f}, after {:.3f} up to step {}", now, lowest, step_of_lowest),
                {{"loss", now}, {"lowest_loss", lowest}, {"step_of_lowest", static_cast<double>(step_of_lowest)}},
                "a lower learning rate or a longer warm-up, from a checkpoint before the rise"};
}

std::optional<Advice> gradients_growing(const RunEvidence& evidence) {
  const Steps steps = warm(evidence);
  if (steps.size() < kLeastSteps) return std::nullopt;
  const size_t quarter = steps.size() / 4;
  const double early = median_of(steps.subspan(quarter, quarter), &TrainStep::grad_norm);
  const double late = median_of(steps.last(quarter), &TrainStep::grad_norm);
  if (!(late > kGrowth * early)) return std::nullopt;
  return Advice{"gradients_growing",
                fmt::format("the gradient norm has grown from {:.3g} to {:.3g}", early, late),
                {{"grad_norm_early", early}, {"grad_norm_late", late}},
                "a lower learning rate; growing norms often come before a divergence"};
}

std::optional<Advice> clipped_steps(const RunEvidence& evidence) {
  const double limit = evidence.configuration.training().clip_grad_norm;
  const Steps steps = warm(evidence);
  if (limit <= 0 || steps.size() < kLeastSteps) return std::nullopt;
  const Steps later = steps.last(steps.size() / 2);
  const auto clipped = std::ranges::count_if(later, [&](const TrainStep& step) { return step.grad_norm > limit; });
  const double share = static_cast<double>(clipped) / static_cast<double>(later.size());
  if (share <= kOftenClipped) return std::nullopt;
  const double norm = median_of(later, &TrainStep::grad_norm);
  return Advice{"clipped_steps",
                fmt::format("{:.0f} % of the later steps were clipped to {}: their length no longer follows the "
                            "gradient",
                            100 * share, limit),
                {{"clipped_share", share}, {"clip_grad_norm", limit}, {"median_grad_norm", norm}},
                "a higher training.clip_grad_norm, or a lower learning rate where the norm is growing"};
}

std::optional<Advice> no_warmup(const RunEvidence& evidence) {
  const Steps steps(evidence.history.steps);
  if (!starts_from_scratch(evidence) || steps.size() < 2 || steps.front().step != 1) return std::nullopt;
  const double first = steps.front().learning_rate;
  const double highest = std::ranges::max(steps, {}, &TrainStep::learning_rate).learning_rate;
  if (!(first >= kAtOnce * highest)) return std::nullopt;
  return Advice{"no_warmup",
                fmt::format("the learning rate is {:.3g} from the first step on, with random weights", first),
                {{"learning_rate_at_first", first}, {"highest_learning_rate", highest}},
                "training.warmup_steps: a tenth of the run is usual"};
}

std::optional<Advice> still_warming_up(const RunEvidence& evidence) {
  const auto warmup = warmup_steps(evidence);
  const Steps steps(evidence.history.steps);
  if (!warmup || steps.empty() || steps.back().step >= *warmup) return std::nullopt;
  const double rate = steps.back().learning_rate;
  return Advice{"still_warming_up",
                fmt::format("step {} of {} of the warm-up: the learning rate is {:.3g} on its way to {:.3g}",
                            steps.back().step, *warmup, rate, evidence.configuration.training().learning_rate),
                {{"step", static_cast<double>(steps.back().step)},
                 {"warmup_steps", static_cast<double>(*warmup)},
                 {"learning_rate", rate}},
                "judge the loss behind the warm-up"};
}

std::optional<Advice> low_learning_rate(const RunEvidence& evidence) {
  const bool pretraining = evidence.configuration.pretraining.has_value();
  const double usual = pretraining ? kLowForPretraining : kLowForFinetuning;
  const double peak = evidence.configuration.training().learning_rate;
  if (peak >= usual) return std::nullopt;
  return Advice{"low_learning_rate",
                fmt::format("the peak learning rate is {:.3g}, below what {} usually needs", peak,
                            pretraining ? "pretraining" : "fine-tuning"),
                {{"learning_rate", peak}, {"lowest_usual", usual}},
                pretraining ? kUsualForPretraining : "1e-5 to 5e-5"};
}

// A high rate alone does no harm.
std::optional<Advice> high_learning_rate(const RunEvidence& evidence) {
  const double peak = evidence.configuration.training().learning_rate;
  if (!evidence.configuration.pretraining || peak <= kHighForPretraining) return std::nullopt;
  for (const auto& harm : {nothing_learnt(evidence), unigram_plateau(evidence), loss_spikes(evidence)}) {
    if (!harm) continue;
    Advice advice{
        "high_learning_rate",
        fmt::format("the peak learning rate is {:.3g}, above what pretraining usually bears: {}", peak, harm->finding),
        {{"learning_rate", peak}, {"highest_usual", kHighForPretraining}},
        fmt::format("a lower learning rate: {}", kUsualForPretraining)};
    advice.figures.insert(advice.figures.end(), harm->figures.begin(), harm->figures.end());
    return advice;
  }
  return std::nullopt;
}

std::optional<Advice> overfitting(const RunEvidence& evidence) {
  const auto [metric, judged] = judged_evaluations(evidence);
  const Steps steps(evidence.history.steps);
  const JudgedEvaluations::One* best = best_of(judged, metric);
  if (!best || steps.size() < kLeastSteps) return std::nullopt;
  const JudgedEvaluations::One& last = judged.back();
  const double fallen_by = metric.higher_is_better ? best->value - last.value : last.value - best->value;
  const bool worse = fallen_by > kWorse * std::abs(best->value);
  if (!worse || &last - best < kEvaluationsAfterBest) return std::nullopt;
  const double then = loss_near(steps, best->step), now = loss_near(steps, last.step);
  if (!(now < then)) return std::nullopt;
  return Advice{"overfitting",
                fmt::format("{} of held-out data was best at step {} ({:.4g}, now {:.4g}) while the training loss went "
                            "on falling ({:.4g}, now {:.4g})",
                            metric.name, best->step, best->value, last.value, then, now),
                {{"step_of_best", static_cast<double>(best->step)},
                 {"best_" + metric.name, best->value},
                 {"last_" + metric.name, last.value},
                 {"train_loss_at_best", then},
                 {"train_loss", now}},
                "stop at the best evaluation, or more text, fewer epochs, more dropout, a smaller model"};
}

}  // namespace bertha
