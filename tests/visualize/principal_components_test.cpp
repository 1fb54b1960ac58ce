#include "visualize/principal_components.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "autograd/core/random.h"
#include "tests/visualize/planted_groups.h"
#include "tests/visualize/reference_maps.h"
#include "tests/visualize/with_threads.h"

namespace bertha {
namespace {

Tensor matrix(int64_t columns, const std::vector<float>& numbers) {
  Tensor tensor = Tensor::uninitialized({std::ssize(numbers) / columns, columns}, DType::f32);
  std::ranges::copy(numbers, tensor.data<float>());
  return tensor;
}

TEST(PrincipalComponents, OfPointsOnALineAreTheirPlacesOnIt) {
  const PrincipalComponents found = principal_components(matrix(2, {0, 0, 3, 4, 6, 8}), 2);
  EXPECT_NEAR(found.explained[0], 1, 1e-12);
  EXPECT_NEAR(found.explained[1], 0, 1e-12);
  const std::vector<float> expected = {-5, 0, 0, 0, 5, 0};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found.scores.span<float>()[i], expected[i], 1e-6);
}

TEST(PrincipalComponents, TheEntryOfTheLargestMagnitudeIsPositive) {
  const PrincipalComponents found = principal_components(matrix(2, {0, 0, 1, -3, 2, -6}), 1);
  EXPECT_GT(found.scores.data<float>()[0], 3) << "of (-0.3, 0.95)";
  EXPECT_LT(found.scores.data<float>()[2], -3);
}

TEST(PrincipalComponents, OfEqualVectorsExplainNothing) {
  const PrincipalComponents found = principal_components(matrix(3, {1, 2, 3, 1, 2, 3, 1, 2, 3}), 10);
  EXPECT_EQ(found.explained, std::vector<double>(3, 0));
  EXPECT_TRUE(std::ranges::all_of(found.scores.span<float>(), [](float x) { return x == 0; }));
}

TEST(PrincipalComponents, FewerVectorsThanDimensions) {
  const PrincipalComponents found = principal_components(planted_groups(4, 30, 2, 0.5), 10);
  EXPECT_EQ(found.scores.shape(), (Shape{4, 10}));
  double three = 0;
  for (size_t i = 0; i < 3; ++i) three += found.explained[i];
  EXPECT_NEAR(three, 1, 1e-12);
}

TEST(PrincipalComponents, ThreadsChangeNoBit) {
  const Tensor vectors = planted_groups(5000, 48, 7, 0.5);
  const auto run = [&] { return principal_components(vectors, 10); };
  const PrincipalComponents one = with_threads(1, run), three = with_threads(3, run);
  EXPECT_TRUE(std::ranges::equal(one.scores.span<float>(), three.scores.span<float>()));
  EXPECT_EQ(one.explained, three.explained);
}

TEST(PrincipalComponents, OfOneVectorAreRefused) {
  EXPECT_THROW(principal_components(matrix(3, {1, 2, 3}), 2), ShapeError);
}

TEST(PrincipalComponentsParity, EqualNumPy) {
  if (!python_has("numpy, sklearn")) {
    GTEST_SKIP() << python() << " has no numpy and sklearn (BERTHA_PYTHON names another)";
  }
  Tensor vectors = Tensor::uninitialized({300, 40}, DType::f32);
  RandomStream random(2, "test");
  for (int64_t i = 0; i < vectors.numel(); ++i) {
    vectors.data<float>()[i] = static_cast<float>(3 + random.normal() / (1 + i % 40));  // variances that differ
  }
  const PrincipalComponents found = principal_components(vectors, 10);
  const nlohmann::json reference = reference_maps(vectors, Tensor::zeros({300, 2}, DType::f32), 5);
  ASSERT_FALSE(reference.is_null());
  for (size_t i = 0; i < 300; ++i) {
    for (size_t j = 0; j < 10; ++j) {
      EXPECT_NEAR(found.scores.span<float>()[10 * i + j], reference["scores"][i][j].get<double>(), 1e-5);
    }
  }
  for (size_t j = 0; j < 10; ++j) EXPECT_NEAR(found.explained[j], reference["explained"][j].get<double>(), 1e-9);
}

}  // namespace
}  // namespace bertha
