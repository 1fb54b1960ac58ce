#pragma once

#include <array>
#include <cmath>

#include "train/inspect/file_tensors.h"
#include "train/inspect/tensor_statistics.h"

namespace bertha {

/// Of elements of 8 or 16 bits: how often each value occurs says all, in one pass.
TensorStatistics counted_statistics(const FileTensor& tensor);

/// Of F32, and of F64 and longer integers as double.
TensorStatistics searched_statistics(const FileTensor& tensor);

/// Where a quantile of so many sorted elements lies.
inline double place_of(double quantile, int64_t elements) {
  return quantile * static_cast<double>(elements - 1);
}

/// Where the parts of the histogram but the first begin.
inline std::array<double, kHistogramBins - 1> limits_between(double minimum, double maximum) {
  std::array<double, kHistogramBins - 1> limits;
  for (size_t bin = 1; bin < kHistogramBins; ++bin) {
    limits[bin - 1] = std::lerp(minimum, maximum, static_cast<double>(bin) / kHistogramBins);
  }
  return limits;
}

/// Fills in what follows from count, mean and summed squared distance from it, of the finite elements.
inline void set_moments(TensorStatistics& statistics, double count, double mean, double squares) {
  statistics.mean = mean;
  statistics.standard_deviation = std::sqrt(squares / count);
  statistics.norm = std::sqrt(squares + count * mean * mean);
}

/// Those of no finite element.
inline void set_undefined(TensorStatistics& statistics) {
  for (double* value :
       {&statistics.minimum, &statistics.maximum, &statistics.mean, &statistics.standard_deviation, &statistics.norm}) {
    *value = NAN;
  }
  statistics.quantiles.fill(NAN);
}

}  // namespace bertha
