#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "train/inspect/element_blocks.h"
#include "train/inspect/statistics_parts.h"

namespace bertha {
namespace {

/// A value, and how many elements have it.
using Counted = std::pair<double, int64_t>;

/// How many elements have which bits.
template <class Bits>
std::vector<int64_t> count_bits(const FileTensor& tensor) {
  constexpr size_t kPatterns = size_t{1} << std::numeric_limits<Bits>::digits;
  std::vector<std::vector<int64_t>> by_thread(static_cast<size_t>(num_threads()));
  for_each_block(tensor.tensor.numel(), [&](int64_t, int64_t first, int64_t count, int thread) {
    std::array<Bits, kElementsPerBlock> block;
    const auto elements = std::span(block).first(static_cast<size_t>(count));
    tensor.file->read(tensor.tensor.offset + static_cast<uint64_t>(first) * sizeof(Bits),
                      std::as_writable_bytes(elements));
    std::vector<int64_t>& counts = by_thread[thread];
    counts.resize(kPatterns);
    for (const Bits bits : elements) ++counts[bits];
  });
  std::vector<int64_t> sums(kPatterns);
  for (const std::vector<int64_t>& counts : by_thread) {
    std::transform(counts.begin(), counts.end(), sums.begin(), sums.begin(), std::plus());
  }
  return sums;
}

template <class Bits>
std::vector<Counted> count_values(const FileTensor& tensor) {
  const std::vector<int64_t> counts = count_bits<Bits>(tensor);
  std::vector<Bits> patterns(counts.size());
  std::iota(patterns.begin(), patterns.end(), Bits{0});
  std::vector<double> values(counts.size());
  convert_numbers(tensor.tensor.dtype, std::as_bytes(std::span(patterns)), values);
  std::vector<Counted> counted;
  for (size_t i = 0; i < values.size(); ++i) {
    if (counts[i] > 0) counted.emplace_back(values[i] + 0.0, counts[i]);  // -0 is 0, as elsewhere
  }
  return counted;
}

/// Sets the counts of what is not finite, and takes it out.
void take_out_nonfinite(std::vector<Counted>& values, TensorStatistics& statistics) {
  for (const auto& [value, count] : values) {
    statistics.nans += std::isnan(value) ? count : 0;
    statistics.infinities += std::isinf(value) ? count : 0;
    statistics.zeros += value == 0 ? count : 0;
  }
  std::erase_if(values, [](const Counted& counted) { return !std::isfinite(counted.first); });
}

double element_at(std::span<const Counted> sorted, int64_t rank) {
  for (const auto& [value, count] : sorted) {
    if (rank < count) return value;
    rank -= count;
  }
  return sorted.back().first;
}

void set_order(std::span<const Counted> sorted, int64_t elements, TensorStatistics& statistics) {
  statistics.minimum = sorted.front().first;
  statistics.maximum = sorted.back().first;
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    const double place = place_of(kQuantiles[i], elements);
    const auto rank = static_cast<int64_t>(place);
    statistics.quantiles[i] =
        std::lerp(element_at(sorted, rank), element_at(sorted, rank + 1), place - static_cast<double>(rank));
  }
  const auto limits = limits_between(statistics.minimum, statistics.maximum);
  for (const auto& [value, count] : sorted) {
    const auto bin = value == statistics.minimum ? limits.begin() : std::ranges::upper_bound(limits, value);
    statistics.histogram[bin - limits.begin()] += count;
  }
}

}  // namespace

TensorStatistics counted_statistics(const FileTensor& tensor) {
  TensorStatistics statistics{.elements = tensor.tensor.numel()};
  const bool bytes = tensor.tensor.bytes == static_cast<uint64_t>(statistics.elements);
  std::vector<Counted> values = bytes ? count_values<uint8_t>(tensor) : count_values<uint16_t>(tensor);
  take_out_nonfinite(values, statistics);
  set_undefined(statistics);
  if (values.empty()) return statistics;
  std::ranges::sort(values);
  double count = 0, sum = 0, squares = 0;
  for (const auto& [value, times] : values) {
    count += static_cast<double>(times);
    sum += value * static_cast<double>(times);
  }
  const double mean = sum / count;
  for (const auto& [value, times] : values) squares += (value - mean) * (value - mean) * static_cast<double>(times);
  set_moments(statistics, count, mean, squares);
  set_order(values, static_cast<int64_t>(count), statistics);
  return statistics;
}

}  // namespace bertha
