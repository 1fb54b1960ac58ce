#pragma once

#include <span>

namespace bertha {

/// Of several runs' numbers: their mean, and their sample standard deviation (over n - 1), which is NaN of one number.
struct MeanAndDeviation {
  double mean = 0, deviation = 0;
};

/// Both are NaN of no numbers.
MeanAndDeviation mean_and_deviation(std::span<const double> numbers);

}  // namespace bertha
