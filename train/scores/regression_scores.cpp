#include "train/scores/regression_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Whether numbers are finite and not all the same, so that a correlation is defined; their rounded mean could not
/// tell.
bool vary(std::span<const double> x) {
  return std::ranges::all_of(x, [](double value) { return std::isfinite(value); }) &&
         std::ranges::any_of(x, [&](double value) { return value != x.front(); });
}

/// Numbers less their mean, over their length.
std::vector<double> standardised(std::span<const double> x) {
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  std::vector<double> result(x.begin(), x.end());
  double squares = 0;
  for (double& value : result) {
    value -= mean;
    squares += value * value;
  }
  for (double& value : result) value /= std::sqrt(squares);
  return result;
}

/// Of numbers that vary.
double correlation(std::span<const double> x, std::span<const double> y) {
  const std::vector<double> a = standardised(x), b = standardised(y);
  return std::clamp(std::inner_product(a.begin(), a.end(), b.begin(), 0.0), -1.0, 1.0);
}

std::vector<double> ranks(std::span<const double> x) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return x[i]; });
  std::vector<double> result(x.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && x[order[end]] == x[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) result[order[i]] = static_cast<double>(begin + end - 1) / 2;
  }
  return result;
}

}  // namespace

RegressionScores regression_scores(std::span<const double> gold, std::span<const double> predicted) {
  check<Error>(gold.size() == predicted.size(), "regression scores: ", gold.size(), " gold numbers and ",
               predicted.size(), " predicted ones");
  double squares = 0;
  for (size_t i = 0; i < gold.size(); ++i) squares += (gold[i] - predicted[i]) * (gold[i] - predicted[i]);
  RegressionScores scores{kNaN, kNaN, squares / static_cast<double>(gold.size())};
  if (!vary(gold) || !vary(predicted)) return scores;
  scores.pearson = correlation(gold, predicted);
  scores.spearman = correlation(ranks(gold), ranks(predicted));
  return scores;
}

}  // namespace bertha
