#include "visualize/map_quality.h"

#include <gtest/gtest.h>

#include "tests/visualize/planted_groups.h"
#include "tests/visualize/reference_maps.h"
#include "visualize/neighbors.h"

namespace bertha {
namespace {

// Directions around a circle, and their places on it.
Tensor circle(int64_t points) {
  Tensor places = Tensor::uninitialized({points, 2}, DType::f32);
  for (int64_t i = 0; i < points; ++i) {
    const double angle = 0.9 * static_cast<double>(i * i) / static_cast<double>(points * points);
    places.data<float>()[2 * i] = static_cast<float>(std::cos(angle));
    places.data<float>()[2 * i + 1] = static_cast<float>(std::sin(angle));
  }
  return places;
}

TEST(MapQuality, IsOneWhereNothingIsLost) {
  const Tensor places = circle(60);
  const MapQuality quality = map_quality(places, places);
  EXPECT_DOUBLE_EQ(quality.trustworthiness, 1);
  EXPECT_DOUBLE_EQ(quality.kept, 1);
  EXPECT_EQ(quality.neighbors, 15);
  EXPECT_EQ(quality.points, 60);
}

TEST(MapQuality, IsLowOnAMapThatHasNothingToDoWithTheVectors) {
  const Tensor units = unit_vectors(planted_groups(2000, 12, 1, 1));
  Tensor map = Tensor::uninitialized({2000, 2}, DType::f32);
  RandomStream random(1, "test");
  for (float& x : map.span<float>()) x = static_cast<float>(random.normal());
  const MapQuality quality = map_quality(units, map);
  EXPECT_NEAR(quality.trustworthiness, 0.5, 0.03);
  EXPECT_LT(quality.kept, 0.02);
  EXPECT_EQ(quality.points, 1000) << "a sample";
}

TEST(MapQuality, OfThreePointsLooksAtOneNeighbor) {
  EXPECT_EQ(map_quality(circle(3), circle(3)).neighbors, 1);
  EXPECT_THROW(map_quality(circle(2), circle(2)), ShapeError);
  EXPECT_THROW(map_quality(circle(5), circle(4)), ShapeError);
}

TEST(MapQualityParity, EqualsScikitLearn) {
  if (!python_has("numpy, sklearn")) {
    GTEST_SKIP() << python() << " has no numpy and sklearn (BERTHA_PYTHON names another)";
  }
  const Tensor vectors = planted_groups(400, 10, 3, 0.9);
  Tensor map = Tensor::uninitialized({400, 2}, DType::f32);
  for (int64_t i = 0; i < 400; ++i) {
    map.data<float>()[2 * i] = vectors.data<float>()[10 * i];
    map.data<float>()[2 * i + 1] = vectors.data<float>()[10 * i + 4];
  }
  const MapQuality quality = map_quality(unit_vectors(vectors), map);
  const nlohmann::json reference = reference_maps(vectors, map, quality.neighbors);
  ASSERT_FALSE(reference.is_null());
  EXPECT_NEAR(quality.trustworthiness, reference["trustworthiness"].get<double>(), 1e-5);
  EXPECT_NEAR(quality.kept, reference["kept"].get<double>(), 1e-3);
}

}  // namespace
}  // namespace bertha
