#include "autograd/ops/embedding.h"

#include <gtest/gtest.h>

#include "autograd/ops/linear.h"
#include "tests/autograd/gradcheck.h"

namespace bertha {
namespace {

const std::vector<int32_t> kWords = {3, 1, 3, 0, 6};
const std::vector<int32_t> kPositions = {0, 1, 2, 0, 1};
const std::vector<int32_t> kTypes = {0, 0, 1, 1, 0};

TEST(EmbeddingSum, GradientMatchesFiniteDifferences) {
  const auto f = [](auto& v) { return embedding_sum(DType::f64, {v[0], kWords}, {v[1], kPositions}, {v[2], kTypes}); };
  EXPECT_TRUE(gradcheck(f, {randn({7, 5}), randn({4, 5}), randn({2, 5})}));
}

TEST(EmbeddingSum, ATiedTableCollectsBothUses) {
  const auto f = [](auto& v) {
    return linear(embedding_sum(DType::f64, {v[0], kWords}, {v[1], kPositions}, {v[2], kTypes}), v[0]);
  };
  EXPECT_TRUE(gradcheck(f, {randn({7, 5}), randn({4, 5}), randn({2, 5})}));
}

TEST(EmbeddingSum, NamesAnIdOutsideItsTable) {
  const Var table(randn({3, 5}));
  try {
    embedding_sum(DType::f64, {table, kWords}, {table, kPositions}, {table, kTypes});
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "embedding_sum: id 3 at row 0 (a table of 3 rows)");
  }
}

TEST(GatherRows, GradientMatchesFiniteDifferencesAlsoWithRepeatedRows) {
  EXPECT_TRUE(gradcheck([](auto& v) { return gather_rows(v[0], kWords); }, {randn({7, 70})}));
}

TEST(GatherRows, OfNoRowsLeavesAZeroGradient) {
  const std::vector<Tensor> d =
      gradients_of([](auto& v) { return gather_rows(v[0], {}); }, {randn({3, 2})}, Tensor::zeros({0, 2}, DType::f64));
  for (const double g : d[0].span<double>()) EXPECT_EQ(g, 0);
}

TEST(EmbeddingSum, Bf16AgreesWithDouble) {
  if (!kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const std::vector<Tensor> tables = {randn({9, 33}), randn({9, 33}), randn({9, 33})};
  const auto sum = [&](DType dtype, const auto& convert) {
    const Var words(convert(tables[0])), positions(convert(tables[1])), types(convert(tables[2]));
    return embedding_sum(dtype, {words, kWords}, {positions, kPositions}, {types, kTypes}).value();
  };
  const Tensor rounded = sum(DType::bf16, to_float);
  EXPECT_EQ(rounded.dtype(), DType::bf16);
  EXPECT_LE(max_difference(to_double(rounded), sum(DType::f64, to_double)), 0.03);
}

TEST(GatherRows, Bf16AgreesWithDouble) {
  expect_bf16_agrees(
      [](auto& v) {
        return gather_rows(v[0], std::vector<int32_t>{2, 0, 2});
      },
      {randn({4, 37})}, {0}, 0.01);
}

}  // namespace
}  // namespace bertha
