#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "train/inspect/file_tensors.h"

namespace bertha {

inline constexpr std::array kQuantiles = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
inline constexpr size_t kHistogramBins = 16;

/// What the elements of a tensor are like. All but the first four are of the finite elements, NaN where there is none.
struct TensorStatistics {
  int64_t elements = 0;
  int64_t zeros = 0, nans = 0, infinities = 0;
  double minimum = 0, maximum = 0;
  double mean = 0, standard_deviation = 0;  // of the elements themselves: divided by their number
  double norm = 0;                          // Euclidean
  /// Of kQuantiles, exact: the two elements that each lies between, interpolated linearly.
  std::array<double, kQuantiles.size()> quantiles = {};
  /// How many elements lie in each of kHistogramBins parts of [minimum, maximum], all equally wide; exact, too. A part
  /// has its lower end, the last one both. Where all elements are equal, they are in the first.
  std::array<int64_t, kHistogramBins> histogram = {};
};

/// None for elements that are no single real numbers of at most 64 bits, and for U64. Integers count as double.
/// Elements of 8 and 16 bits are read once, others twice, or a few times where many are equal or nearly so; in blocks,
/// on all threads, with the same result on any number of them, in at most 100 MB and 1 MB a thread. Sums are made in
/// double; standard deviation and norm are infinite where squares are, beyond 1e154. Throws what reading does.
std::optional<TensorStatistics> statistics_of(const FileTensor& tensor);

}  // namespace bertha
