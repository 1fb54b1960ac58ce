#include "train/scores/mean_and_deviation.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace bertha {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

MeanAndDeviation mean_and_deviation(std::span<const double> numbers) {
  const auto count = static_cast<double>(numbers.size());
  MeanAndDeviation result{std::accumulate(numbers.begin(), numbers.end(), 0.0) / count, kNaN};
  if (numbers.size() < 2) return result;
  double squares = 0;
  for (const double number : numbers) squares += (number - result.mean) * (number - result.mean);
  result.deviation = std::sqrt(squares / (count - 1));
  return result;
}

}  // namespace bertha
