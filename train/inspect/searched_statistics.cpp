#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "train/inspect/element_blocks.h"
#include "train/inspect/order_search.h"
#include "train/inspect/ordered_keys.h"
#include "train/inspect/statistics_parts.h"

namespace bertha {
namespace {

/// Mean and summed squared distance from it of some elements.
struct Spread {
  int64_t count = 0;
  double mean = 0, squares = 0;
};

// Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
Spread joined(const Spread& a, const Spread& b) {
  if (a.count == 0 || b.count == 0) return a.count == 0 ? b : a;
  const double distance = b.mean - a.mean;
  const double share = static_cast<double>(b.count) / static_cast<double>(a.count + b.count);
  return {a.count + b.count, a.mean + distance * share,
          a.squares + b.squares + distance * distance * share * static_cast<double>(a.count)};
}

// Over lanes, so that the compiler may use vectors.
template <class T, class F>
double sum_over(std::span<const T> values, F term) {
  constexpr size_t kLanes = 8;
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(static_cast<double>(values[i + lane]));
  }
  for (; i < values.size(); ++i) lanes[0] += term(static_cast<double>(values[i]));
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

template <class T>
Spread spread_of(std::span<const T> values) {
  if (values.empty()) return {};
  const double mean = sum_over(values, [](double x) { return x; }) / static_cast<double>(values.size());
  return {std::ssize(values), mean, sum_over(values, [mean](double x) { return (x - mean) * (x - mean); })};
}

/// Of some elements, as keys, for which the compiler may use vectors.
template <class T>
struct Range {
  OrderedKey<T> lowest = std::numeric_limits<OrderedKey<T>>::max(), highest = 0;

  void add(const Range& other) {
    lowest = std::min(lowest, other.lowest);
    highest = std::max(highest, other.highest);
  }
};

template <class T>
Range<T> range_of(std::span<const T> values) {
  Range<T> range;
  for (const T value : values) range.add({ordered_key(value), ordered_key(value)});
  return range;
}

/// What one thread has in memory of a tensor, and what it has seen.
template <class T>
struct Seen {
  std::vector<T> values = std::vector<T>(kElementsPerBlock);
  Range<T> range;  // of finite elements
  int64_t zeros = 0, nans = 0, infinities = 0;
};

template <class T>
class SearchedStatistics {
 public:
  explicit SearchedStatistics(const FileTensor& tensor)
      : tensor_(tensor),
        elements_(tensor.tensor.numel()),
        search_(num_threads(), kElementsPerBlock),
        seen_(static_cast<size_t>(num_threads())),
        spreads_(static_cast<size_t>(blocks_of(elements_))) {}

  TensorStatistics run() {
    for_each_block(elements_, [&](int64_t block, int64_t first, int64_t count, int thread) {
      spreads_[block] = take_in(read(first, count, thread), thread);
    });
    TensorStatistics statistics{.elements = elements_};
    set_totals(statistics);
    if (finite_ > 0 && statistics.minimum < statistics.maximum) {
      search(statistics);
    } else if (finite_ > 0) {
      statistics.quantiles.fill(statistics.minimum);
      statistics.histogram[0] = finite_;
    }
    return statistics;
  }

 private:
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();

  std::span<T> read(int64_t first, int64_t count, int thread) {
    if (!seen_[thread]) seen_[thread] = std::make_unique<Seen<T>>();
    const auto values = std::span(seen_[thread]->values).first(static_cast<size_t>(count));
    if constexpr (std::is_same_v<T, float>) {
      read_elements(*tensor_.file, tensor_.tensor, first, values);
    } else {
      read_numbers(*tensor_.file, tensor_.tensor, first, values);
    }
    return values;
  }

  Spread take_in(std::span<T> values, int thread) {
    Seen<T>& seen = *seen_[thread];
    Range<T> range = range_of(std::span<const T>(values));
    if (range.lowest <= ordered_key(-kInfinity) || range.highest >= ordered_key(kInfinity)) {
      values = without_nonfinite(values, seen);
      range = range_of(std::span<const T>(values));
    }
    seen.range.add(range);
    seen.zeros += std::ranges::count(values, T{0});
    search_.add(values, thread);
    return spread_of(std::span<const T>(values));
  }

  static std::span<T> without_nonfinite(std::span<T> values, Seen<T>& seen) {
    for (const T value : values) {
      seen.nans += std::isnan(value);
      seen.infinities += std::isinf(value);
    }
    const auto removed = std::ranges::remove_if(values, [](T value) { return !std::isfinite(value); });
    return values.first(values.size() - removed.size());
  }

  void set_totals(TensorStatistics& statistics) {
    Range<T> all;
    for (const auto& seen : seen_) {
      if (!seen) continue;
      statistics.zeros += seen->zeros;
      statistics.nans += seen->nans;
      statistics.infinities += seen->infinities;
      all.add(seen->range);
    }
    Spread spread;
    for (const Spread& block : spreads_) spread = joined(spread, block);
    finite_ = spread.count;
    if (finite_ == 0) return set_undefined(statistics);
    statistics.minimum = value_of_key<T>(all.lowest) + T{0};  // never -0
    statistics.maximum = value_of_key<T>(all.highest) + T{0};
    set_moments(statistics, static_cast<double>(finite_), spread.mean, spread.squares);
  }

  void search(TensorStatistics& statistics) {
    std::vector<int64_t> ranks;
    for (const double quantile : kQuantiles) {
      const auto rank = static_cast<int64_t>(place_of(quantile, finite_));
      ranks.insert(ranks.end(), {rank, std::min(rank + 1, finite_ - 1)});
    }
    std::vector<T> limits;
    for (const double limit : limits_between(statistics.minimum, statistics.maximum))
      limits.push_back(least_from(limit));
    search_.seek(ranks, limits);
    while (!search_.is_done()) {
      for_each_block(elements_, [&](int64_t, int64_t first, int64_t count, int thread) {
        search_.add(read(first, count, thread), thread);
      });
      search_.advance();
    }
    set_quantiles(statistics);
    set_histogram(statistics);
  }

  // The least number that is not below the limit; -0 for 0, which is not below it either.
  static T least_from(double limit) {
    const T nearest = static_cast<T>(limit);
    const T least = static_cast<double>(nearest) < limit ? std::nextafter(nearest, kInfinity) : nearest;
    return least == 0 ? -T{0} : least;
  }

  void set_quantiles(TensorStatistics& statistics) const {
    for (size_t i = 0; i < kQuantiles.size(); ++i) {
      const double place = place_of(kQuantiles[i], finite_);
      const double below = search_.at_rank(2 * i), above = search_.at_rank(2 * i + 1);
      statistics.quantiles[i] = std::lerp(below, above, place - std::floor(place)) + 0.0;
    }
  }

  void set_histogram(TensorStatistics& statistics) const {
    int64_t below = 0;
    for (size_t bin = 0; bin < kHistogramBins; ++bin) {
      const int64_t end = bin + 1 < kHistogramBins ? search_.below_limit(bin) : finite_;
      statistics.histogram[bin] = end - below;
      below = end;
    }
  }

  const FileTensor& tensor_;
  int64_t elements_;
  int64_t finite_ = 0;
  OrderSearch<T> search_;
  std::vector<std::unique_ptr<Seen<T>>> seen_;  // by thread; null where it had nothing to do
  std::vector<Spread> spreads_;                 // by block, so that sums do not depend on who made which
};

}  // namespace

TensorStatistics searched_statistics(const FileTensor& tensor) {
  return tensor.tensor.dtype == "F32" ? SearchedStatistics<float>(tensor).run()
                                      : SearchedStatistics<double>(tensor).run();
}

}  // namespace bertha
