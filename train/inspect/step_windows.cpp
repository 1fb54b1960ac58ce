#include "train/inspect/step_windows.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bertha {
namespace {

std::vector<double> numbers_of(Steps steps, StepNumber number) {
  std::vector<double> numbers;
  for (const TrainStep& step : steps) {
    if (!std::isnan(step.*number)) numbers.push_back(step.*number);
  }
  return numbers;
}

size_t recent_size(Steps steps) {
  constexpr size_t kLeast = 20;
  return std::max(kLeast, steps.size() / 10);
}

}  // namespace

double mean_of(Steps steps, StepNumber number) {
  const std::vector<double> numbers = numbers_of(steps, number);
  double sum = 0;
  for (const double one : numbers) sum += one;
  return numbers.empty() ? NAN : sum / static_cast<double>(numbers.size());
}

double median_of(Steps steps, StepNumber number) {
  std::vector<double> numbers = numbers_of(steps, number);
  if (numbers.empty()) return NAN;
  const auto middle = numbers.begin() + std::ssize(numbers) / 2;
  std::ranges::nth_element(numbers, middle);
  return *middle;
}

Steps recent(Steps steps) {
  return steps.last(recent_size(steps));
}

Steps before_recent(Steps steps) {
  const size_t size = recent_size(steps);
  return steps.last(2 * size).first(size);
}

std::optional<int64_t> warmup_steps(const RunEvidence& evidence) {
  const TrainingSection& training = evidence.configuration.training();
  if (training.warmup_steps) return training.warmup_steps;
  return training.steps ? std::optional(*training.steps / 10) : std::nullopt;
}

Steps warm(const RunEvidence& evidence) {
  const Steps steps(evidence.history.steps);
  const int64_t warmup = warmup_steps(evidence).value_or(0);
  const auto first = std::ranges::find_if(steps, [&](const TrainStep& step) { return step.step > warmup; });
  return steps.subspan(static_cast<size_t>(first - steps.begin()));
}

JudgedEvaluations judged_evaluations(const RunEvidence& evidence) {
  const auto& finetuning = evidence.configuration.finetuning;
  JudgedEvaluations judged{evaluation_metric(finetuning ? std::optional(finetuning->task) : std::nullopt), {}};
  for (const MetricsLine& line : evidence.history.evaluations) {
    if (const auto value = line.find(judged.metric.name)) judged.all.push_back({line.step, *value});
  }
  return judged;
}

}  // namespace bertha
