#include "visualize/umap.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "autograd/core/random.h"

namespace bertha {
namespace {

// ---- The graph

constexpr int kBisections = 64;
constexpr double kLeastBandwidth = 1e-3;  // of the mean distance, so that near duplicates leave something to the others

// What the nearest is surely and the others are less and less.
struct Falloff {
  double nearest, bandwidth;

  double operator()(double distance) const { return std::exp(-std::max(0.0, distance - nearest) / bandwidth); }
};

double distance_of(float cosine) {
  return std::max(0.0, 1.0 - double{cosine});
}

Falloff fit_falloff(std::span<const float> cosines, double mean_distance) {
  Falloff falloff{0, 1};
  for (const float cosine : cosines) {
    if (falloff.nearest == 0) falloff.nearest = distance_of(cosine);  // but a duplicate is not counted
  }
  const double wanted = std::log2(static_cast<double>(cosines.size()));
  double low = 0, high = 0;  // high 0: not yet known
  for (int i = 0; i < kBisections; ++i) {
    double sum = 0;
    for (const float cosine : cosines) sum += falloff(distance_of(cosine));
    (sum > wanted ? high : low) = falloff.bandwidth;
    falloff.bandwidth = high > 0 ? (low + high) / 2 : 2 * falloff.bandwidth;
  }
  falloff.bandwidth = std::max({falloff.bandwidth, kLeastBandwidth * mean_distance, 1e-12});
  return falloff;
}

double mean_distance(std::span<const float> cosines) {
  double sum = 0;
  for (const float cosine : cosines) sum += distance_of(cosine);
  return sum / static_cast<double>(cosines.size());
}

// Each point's own view; an edge stands twice where both have one.
std::vector<FuzzyEdge> one_sided_edges(const Neighbors& neighbors, size_t count) {
  const double mean = mean_distance(neighbors.cosines);
  const auto known = static_cast<size_t>(neighbors.count);
  std::vector<FuzzyEdge> edges;
  for (size_t begin = 0; begin < neighbors.indices.size(); begin += known) {
    const auto point = static_cast<int32_t>(begin / known);
    const Falloff falloff = fit_falloff(std::span(neighbors.cosines).subspan(begin, count), mean);
    for (size_t i = begin; i < begin + count; ++i) {
      const auto [a, b] = std::minmax(point, neighbors.indices[i]);
      edges.push_back({a, b, static_cast<float>(falloff(distance_of(neighbors.cosines[i])))});
    }
  }
  return edges;
}

// ---- The layout

// 1 / (1 + a d^2b) comes nearest to a membership of 1 up to min_dist 0.1 and exp(-(d - min_dist)) beyond.
constexpr float kA = 1.5769434603f, kB = 0.8950608780f;
constexpr float kLongestPull = 4;
constexpr int kPushes = 5;  // for one pull
constexpr float kExtent = 10;
constexpr uint64_t kSeed = 1;

struct Point {
  float x = 0, y = 0;
};

Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}

float square(Point p) {
  return p.x * p.x + p.y * p.y;
}

Point step(Point along, float factor, float rate) {
  const auto clipped = [&](float x) { return rate * std::clamp(factor * x, -kLongestPull, kLongestPull); };
  return {clipped(along.x), clipped(along.y)};
}

void move(Point& point, Point by) {
  point.x += by.x;
  point.y += by.y;
}

float pull_of(float squared) {
  if (squared == 0) return 0;
  const float power = std::pow(squared, kB);
  return -2 * kA * kB * power / squared / (kA * power + 1);
}

float push_of(float squared) {
  if (squared == 0) return 0;
  return 2 * kB / ((0.001f + squared) * (kA * std::pow(squared, kB) + 1));
}

// Centred, the furthest at kExtent; equal points are parted by a hair.
std::vector<Point> starting_points(const Tensor& start) {
  std::vector<Point> points;
  float furthest = 0;
  for (const float x : start.span<float>()) furthest = std::max(furthest, std::abs(x));
  const float scale = furthest > 0 ? kExtent / furthest : 0;
  RandomStream random(kSeed, "map start");
  for (int64_t i = 0; i < start.rows(); ++i) {
    const float* at = start.data<float>() + 2 * i;
    const auto jitter = [&] { return static_cast<float>(1e-3 * random.normal()); };
    const float x = scale * at[0] + jitter();
    points.push_back({x, scale * at[1] + jitter()});
  }
  return points;
}

// An edge seen from one of its ends, pulled once every `period` rounds.
struct Pull {
  int32_t from, to;
  double period, next;
};

std::vector<Pull> pulls_of(std::span<const FuzzyEdge> graph, int rounds) {
  float heaviest = 0;
  for (const FuzzyEdge& edge : graph) heaviest = std::max(heaviest, edge.weight);
  std::vector<Pull> pulls;
  for (const auto& [a, b, weight] : graph) {
    const double period = double{heaviest} / weight;
    if (period > rounds) continue;  // too weak to be pulled even once
    pulls.push_back({a, b, period, period});
    pulls.push_back({b, a, period, period});
  }
  std::ranges::stable_sort(pulls, {}, &Pull::from);
  return pulls;
}

void pull_and_push(const Pull& pull, float rate, RandomStream& random, std::vector<Point>& points) {
  Point& from = points[static_cast<size_t>(pull.from)];
  Point& to = points[static_cast<size_t>(pull.to)];
  const Point apart = from - to;
  const Point together = step(apart, pull_of(square(apart)), rate);
  move(from, together);
  move(to, {-together.x, -together.y});
  for (int i = 0; i < kPushes; ++i) {
    const Point away = from - points[random.below(static_cast<uint32_t>(points.size()))];
    move(from, step(away, push_of(square(away)), rate));
  }
}

}  // namespace

std::vector<FuzzyEdge> fuzzy_graph(const Neighbors& neighbors, int64_t count) {
  std::vector<FuzzyEdge> edges = one_sided_edges(neighbors, static_cast<size_t>(std::min(count, neighbors.count)));
  std::ranges::sort(edges, {}, [](const FuzzyEdge& edge) { return std::tuple(edge.a, edge.b, edge.weight); });
  std::vector<FuzzyEdge> graph;
  for (const FuzzyEdge& edge : edges) {
    const bool is_second_view = !graph.empty() && graph.back().a == edge.a && graph.back().b == edge.b;
    if (!is_second_view) {
      graph.push_back(edge);
    } else {
      graph.back().weight += edge.weight - graph.back().weight * edge.weight;
    }
  }
  std::erase_if(graph, [](const FuzzyEdge& edge) { return edge.weight <= 0; });
  return graph;
}

Tensor umap(std::span<const FuzzyEdge> graph, const Tensor& start) {
  const int rounds = start.rows() <= 10'000 ? 500 : 200;
  std::vector<Point> points = starting_points(start);
  std::vector<Pull> pulls = pulls_of(graph, rounds);
  RandomStream random(kSeed, "map layout");
  for (int round = 0; round < rounds; ++round) {
    const float rate = 1 - static_cast<float>(round) / static_cast<float>(rounds);
    for (Pull& pull : pulls) {
      if (pull.next > round) continue;
      pull_and_push(pull, rate, random, points);
      pull.next += pull.period;
    }
  }
  Tensor map = Tensor::uninitialized({start.rows(), 2}, DType::f32);
  for (size_t i = 0; i < points.size(); ++i) {
    map.data<float>()[2 * i] = points[i].x;
    map.data<float>()[2 * i + 1] = points[i].y;
  }
  return map;
}

}  // namespace bertha
