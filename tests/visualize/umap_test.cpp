#include "visualize/umap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "tests/visualize/planted_groups.h"
#include "tests/visualize/with_threads.h"
#include "visualize/embedding_map.h"

namespace bertha {
namespace {

TEST(FuzzyGraph, JoinsBothPointsViews) {
  // 0 and 1 are each other's nearest; 2 sees 1 first.
  const Neighbors neighbors{.count = 2, .indices = {1, 2, 0, 2, 1, 0}, .cosines = {0.9f, 0.5f, 0.9f, 0.8f, 0.8f, 0.5f}};
  const std::vector<FuzzyEdge> graph = fuzzy_graph(neighbors, 2);
  ASSERT_EQ(graph.size(), 3u);
  EXPECT_EQ(std::pair(graph[0].a, graph[0].b), std::pair(0, 1));
  EXPECT_EQ(graph[0].weight, 1) << "surely, as either sees it";
  EXPECT_EQ(std::pair(graph[1].a, graph[1].b), std::pair(0, 2));
  EXPECT_EQ(std::pair(graph[2].a, graph[2].b), std::pair(1, 2));
  EXPECT_EQ(graph[2].weight, 1) << "2's nearest";
}

TEST(FuzzyGraph, WeightsOfOnePointAddUpToTheLogarithmOfTheirNumber) {
  // Point 0 has eight neighbours, each of which sees only points far from it.
  Neighbors neighbors{.count = 8};
  for (int32_t point = 0; point < 20; ++point) {
    for (int32_t k = 0; k < 8; ++k) {
      neighbors.indices.push_back(point == 0 ? 1 + k : 9 + (point + k) % 11);
      neighbors.cosines.push_back(0.95f - 0.04f * static_cast<float>(k));
    }
  }
  double sum = 0;
  for (const FuzzyEdge& edge : fuzzy_graph(neighbors, 8)) sum += edge.a == 0 ? edge.weight : 0;
  EXPECT_NEAR(sum, 3, 1e-4);
}

TEST(FuzzyGraph, LooksAtAsManyNeighborsAsAsked) {
  const Tensor units = unit_vectors(planted_groups(100, 8, 1, 1));
  const Neighbors neighbors = nearest_by_cosine(units, 10);
  EXPECT_LT(fuzzy_graph(neighbors, 3).size(), fuzzy_graph(neighbors, 10).size());
  EXPECT_LE(fuzzy_graph(neighbors, 3).size(), 300u);
}

struct Center {
  double x = 0, y = 0, radius = 0;
};

// Of each group the middle, and how far its furthest point is from there.
std::vector<Center> centers_of(const Tensor& map, int64_t groups) {
  std::vector<Center> centers(static_cast<size_t>(groups));
  const double share = static_cast<double>(groups) / static_cast<double>(map.rows());
  const auto of = [&](int64_t i) -> Center& { return centers[static_cast<size_t>(i % groups)]; };
  for (int64_t i = 0; i < map.rows(); ++i) {
    of(i).x += share * map.data<float>()[2 * i];
    of(i).y += share * map.data<float>()[2 * i + 1];
  }
  for (int64_t i = 0; i < map.rows(); ++i) {
    Center& center = of(i);
    const double away = std::hypot(map.data<float>()[2 * i] - center.x, map.data<float>()[2 * i + 1] - center.y);
    center.radius = std::max(center.radius, away);
  }
  return centers;
}

TEST(Umap, PlantedGroupsStayApart) {
  const int64_t groups = 6;
  const EmbeddingMap map = map_embeddings(planted_groups(600, 24, groups, 0.2));
  const std::vector<Center> centers = centers_of(map.layout, groups);
  for (size_t i = 0; i < centers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double apart = std::hypot(centers[i].x - centers[j].x, centers[i].y - centers[j].y);
      EXPECT_GT(apart, centers[i].radius + centers[j].radius) << "groups " << i << " and " << j;
    }
  }
  EXPECT_GT(map.layout_quality.trustworthiness, 0.95);
  EXPECT_GT(map.layout_quality.kept, map.components_quality.kept);
}

TEST(Umap, ThreadsChangeNoBit) {
  const Tensor vectors = planted_groups(500, 16, 4, 0.5);
  const auto run = [&] { return map_embeddings(vectors).layout; };
  const Tensor one = with_threads(1, run), three = with_threads(3, run);
  EXPECT_TRUE(std::ranges::equal(one.span<float>(), three.span<float>()));
}

TEST(Umap, EqualAndFewPointsHavePlaces) {
  for (const int64_t points : {3, 4, 50}) {
    Tensor equal = Tensor::zeros({points, 5}, DType::f32);
    std::ranges::fill(equal.span<float>(), 0.5f);
    for (const Tensor& vectors : {equal, planted_groups(points, 5, 3, 0.1), planted_groups(points, 1, 3, 0.1)}) {
      const EmbeddingMap map = map_embeddings(vectors);
      for (const float x : map.layout.span<float>()) EXPECT_TRUE(std::isfinite(x) && std::abs(x) < 1000) << x;
      EXPECT_TRUE(std::isfinite(map.layout_quality.trustworthiness));
    }
  }
}

}  // namespace
}  // namespace bertha
