#include "visualize/map_quality.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "autograd/core/parallel.h"
#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

constexpr int64_t kMostSampled = 1000;
constexpr int64_t kNeighbors = 15;

// The points in the order of a measure, of equal ones the first first; `self` is not among the `count` nearest.
std::vector<int32_t> nearest(std::span<const float> remoteness, int64_t self, int64_t count) {
  std::vector<int32_t> order(remoteness.size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(self)], order.back());
  order.pop_back();
  std::ranges::partial_sort(order, order.begin() + count, {},
                            [&](int32_t i) { return std::pair(remoteness[static_cast<size_t>(i)], i); });
  order.resize(static_cast<size_t>(count));
  return order;
}

// Its place among all others by a measure, from 1.
int64_t rank_of(int32_t point, std::span<const float> remoteness, int64_t self) {
  const float own = remoteness[static_cast<size_t>(point)];
  int64_t rank = 1;
  for (size_t i = 0; i < remoteness.size(); ++i) {
    const bool nearer = remoteness[i] < own || (remoteness[i] == own && static_cast<int32_t>(i) < point);
    rank += nearer && static_cast<int64_t>(i) != self;
  }
  return rank;
}

std::vector<float> map_distances(const Tensor& map, int64_t from) {
  const float* xy = map.data<float>();
  std::vector<float> squares(static_cast<size_t>(map.rows()));
  for (int64_t i = 0; i < map.rows(); ++i) {
    const float x = xy[2 * i] - xy[2 * from];
    const float y = xy[2 * i + 1] - xy[2 * from + 1];
    squares[static_cast<size_t>(i)] = x * x + y * y;
  }
  return squares;
}

struct PointQuality {
  int64_t kept = 0, intrusion = 0;  // intrusion: how far beyond the nearest those are whom the map puts there
};

PointQuality quality_of(std::span<const float> remoteness, const Tensor& map, int64_t point, int64_t count) {
  const std::vector<int32_t> really_near = nearest(remoteness, point, count);
  PointQuality quality;
  for (const int32_t near_on_map : nearest(map_distances(map, point), point, count)) {
    if (std::ranges::find(really_near, near_on_map) != really_near.end()) {
      ++quality.kept;
    } else {
      quality.intrusion += rank_of(near_on_map, remoteness, point) - count;
    }
  }
  return quality;
}

// (points, P): minus the cosines of some vectors with all.
Tensor remoteness_of(const Tensor& units, std::span<const int64_t> points) {
  Tensor chosen = Tensor::uninitialized({std::ssize(points), units.cols()}, DType::f32);
  for (size_t i = 0; i < points.size(); ++i) {
    std::ranges::transform(units.row_range(points[i], 1).span<float>(),
                           chosen.data<float>() + static_cast<int64_t>(i) * units.cols(), std::negate<>());
  }
  Tensor remoteness = Tensor::uninitialized({chosen.rows(), units.rows()}, DType::f32);
  matmul(kernels::kNo, kernels::kYes, chosen, units, 0, remoteness);
  return remoteness;
}

}  // namespace

MapQuality map_quality(const Tensor& units, const Tensor& map) {
  const int64_t all = units.rows();
  check(all >= 3 && map.rows() == all, "map quality: a map of ", map.rows(), " points for ", all,
        " vectors (three or more)");
  MapQuality quality{.neighbors = std::min(kNeighbors, (all - 1) / 2), .points = std::min(kMostSampled, all)};
  std::vector<int64_t> points;
  for (int64_t i = 0; i < quality.points; ++i) points.push_back(i * all / quality.points);
  const Tensor remoteness = remoteness_of(units, points);
  std::vector<PointQuality> each(points.size());
  parallel_for(quality.points, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<size_t>(i);
      each[at] = quality_of({remoteness.data<float>() + i * all, static_cast<size_t>(all)}, map, points[at],
                            quality.neighbors);
    }
  });
  double kept = 0, intrusion = 0;
  for (const PointQuality& one : each) {
    kept += static_cast<double>(one.kept);
    intrusion += static_cast<double>(one.intrusion);
  }
  const auto looked_at = static_cast<double>(quality.points * quality.neighbors);
  quality.kept = kept / looked_at;
  quality.trustworthiness = 1 - intrusion * 2 / (looked_at * static_cast<double>(2 * all - 3 * quality.neighbors - 1));
  return quality;
}

}  // namespace bertha
