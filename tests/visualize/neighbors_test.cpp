#include "visualize/neighbors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/visualize/planted_groups.h"
#include "tests/visualize/with_threads.h"
#include "train/recipes/embed.h"

namespace bertha {
namespace {

std::span<const float> row(const Tensor& vectors, int64_t i) {
  return vectors.row_range(i, 1).span<float>();
}

TEST(Neighbors, AreThoseOfAllPairs) {
  const int64_t points = 700, count = 20;  // more than one block of rows
  const Tensor vectors = planted_groups(points, 19, 5, 0.8);
  const Neighbors found = nearest_by_cosine(unit_vectors(vectors), count);
  ASSERT_EQ(found.points(), points);
  for (int64_t i = 0; i < points; ++i) {
    std::vector<std::pair<double, int32_t>> all;
    for (int64_t j = 0; j < points; ++j) {
      if (j != i) all.emplace_back(-cosine(row(vectors, i), row(vectors, j)), static_cast<int32_t>(j));
    }
    std::ranges::sort(all);
    for (size_t k = 0; k < static_cast<size_t>(count); ++k) {
      const size_t at = static_cast<size_t>(i * count) + k;
      EXPECT_NEAR(found.cosines[at], -all[k].first, 1e-6);
      EXPECT_NEAR(cosine(row(vectors, i), row(vectors, found.indices[at])), -all[k].first, 1e-6);
    }
  }
}

TEST(Neighbors, OfEqualOnesTheLowerIndexIsNearer) {
  Tensor vectors = Tensor::zeros({6, 3}, DType::f32);
  for (int64_t i = 0; i < 6; ++i) vectors.data<float>()[3 * i] = 1;
  const Neighbors found = nearest_by_cosine(unit_vectors(vectors), 3);
  EXPECT_EQ(std::vector<int32_t>(found.indices.begin(), found.indices.begin() + 3), (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(std::vector<int32_t>(found.indices.end() - 3, found.indices.end()), (std::vector<int32_t>{0, 1, 2}));
}

TEST(Neighbors, AZeroVectorIsAtRightAnglesToAll) {
  const Tensor vectors = planted_groups(5, 4, 5, 0.1);
  std::fill_n(vectors.row_range(2, 1).data<float>(), 4, 0.0f);
  const Neighbors found = nearest_by_cosine(unit_vectors(vectors), 4);
  for (size_t k = 8; k < 12; ++k) EXPECT_EQ(found.cosines[k], 0);
}

TEST(Neighbors, ThreadsChangeNoBit) {
  const Tensor units = unit_vectors(planted_groups(1500, 33, 9, 0.7));
  const auto run = [&] { return nearest_by_cosine(units, 20); };
  const Neighbors one = with_threads(1, run), three = with_threads(3, run);
  EXPECT_EQ(one.indices, three.indices);
  EXPECT_EQ(one.cosines, three.cosines);
}

TEST(Neighbors, MoreThanThereAreAreRefused) {
  const Tensor units = unit_vectors(planted_groups(5, 4, 5, 0.1));
  EXPECT_THROW(nearest_by_cosine(units, 5), ShapeError);
  EXPECT_THROW(nearest_by_cosine(units, 0), ShapeError);
}

}  // namespace
}  // namespace bertha
