#include "autograd/ops/attention.h"

#include <gtest/gtest.h>

#include <numeric>

#include "autograd/kernels/dropout_factors.h"
#include "autograd/ops/embedding.h"
#include "tests/autograd/gradcheck.h"

namespace bertha {
namespace {

using Lengths = std::vector<int32_t>;

Lengths cumulative(const Lengths& lengths) {
  Lengths cu = {0};
  for (const int32_t n : lengths) cu.push_back(cu.back() + n);
  return cu;
}

const std::vector<uint64_t> kRowKeys = [] {
  std::vector<uint64_t> keys(400);
  std::iota(keys.begin(), keys.end(), 12345);
  return keys;
}();
Dropout third_dropout() {
  return {.key = 4, .step = 9, .threshold = 21845, .row_keys = kRowKeys.data()};
}

// Attention by the book, in double, with the dropout factors drawn one by one.
Tensor reference(const Dropout& dropout, int64_t heads, const Lengths& cu, const Tensor& qkv) {
  const int64_t hidden = qkv.cols() / 3;
  const int64_t d = hidden / heads;
  Tensor y = Tensor::zeros({qkv.rows(), hidden}, DType::f64);
  const auto at = [&](int64_t row, int64_t part, int64_t h, int64_t e) {
    return qkv.data<double>()[row * 3 * hidden + part * hidden + h * d + e];
  };
  for (size_t s = 0; s + 1 < cu.size(); ++s) {
    for (int64_t h = 0; h < heads; ++h) {
      for (int64_t i = cu[s]; i < cu[s + 1]; ++i) {
        std::vector<double> p;
        for (int64_t j = cu[s]; j < cu[s + 1]; ++j) {
          double score = 0;
          for (int64_t e = 0; e < d; ++e) score += at(i, 0, h, e) * at(j, 1, h, e);
          p.push_back(score / std::sqrt(static_cast<double>(d)));
        }
        const double maximum = *std::ranges::max_element(p);
        double sum = 0;
        for (double& x : p) sum += x = std::exp(x - maximum);
        for (size_t j = 0; j < p.size(); ++j) {
          p[j] /= sum;
          if (dropout.active()) {
            std::vector<double> factors(kernels::kDropoutGroup);
            const auto group = static_cast<int64_t>(j) / kernels::kDropoutGroup;
            kernels::dropout_factors(dropout, dropout.row_keys[i], static_cast<uint32_t>(h), group, factors.data());
            p[j] *= factors[j % kernels::kDropoutGroup];
          }
          for (int64_t e = 0; e < d; ++e) {
            y.data<double>()[i * hidden + h * d + e] += p[j] * at(cu[s] + static_cast<int64_t>(j), 2, h, e);
          }
        }
      }
    }
  }
  return y;
}

TEST(Attention, GradientMatchesFiniteDifferences) {
  const Lengths cu = cumulative({3, 1, 5});
  for (const Dropout& d : {Dropout{}, third_dropout()}) {
    EXPECT_TRUE(gradcheck([&](auto& v) { return attention(d, 2, cu, {}, v[0]); }, {randn({9, 3 * 2 * 3})}));
  }
}

TEST(Attention, GradientMatchesFiniteDifferencesOverSeveralRowBlocks) {
  const Lengths cu = cumulative({37});
  EXPECT_TRUE(gradcheck([&](auto& v) { return attention(third_dropout(), 1, cu, {}, v[0]); }, {randn({37, 6})}));
}

TEST(Attention, EqualsTheDefinition) {
  for (const Lengths& lengths : {Lengths{1}, Lengths{16, 17}, Lengths{5, 1, 133}, Lengths{32, 64}}) {
    const Lengths cu = cumulative(lengths);
    for (const int64_t head_size : {1, 12, 16, 20}) {
      const Tensor qkv = randn({cu.back(), 3 * 2 * head_size});
      for (const Dropout& d : {Dropout{}, third_dropout()}) {
        const Tensor expected = reference(d, 2, cu, qkv);
        EXPECT_LE(max_difference(attention(d, 2, cu, {}, Var(qkv)).value(), expected), 1e-12);
        EXPECT_LE(max_difference(attention(d, 2, cu, {}, Var(to_float(qkv))).value(), to_float(expected)), 2e-5);
      }
    }
  }
}

TEST(Attention, FloatGradientAgreesWithDouble) {
  const Lengths cu = cumulative({40, 1, 90});
  expect_float_agrees([&](auto& v) { return attention(third_dropout(), 2, cu, {}, v[0]); }, {randn({131, 3 * 2 * 16})},
                      5e-5);
}

TEST(Attention, Bf16AgreesWithDouble) {
  const Lengths cu = cumulative({40, 1, 90});
  expect_bf16_agrees([&](auto& v) { return attention(third_dropout(), 2, cu, {}, v[0]); }, {randn({131, 3 * 2 * 20})},
                     {0}, 0.02);
}

const Lengths kQueries = {1, 39, 40, 41, 77, 130};

TEST(Attention, QueriesAreRowsOfTheWhole) {
  const Lengths cu = cumulative({40, 1, 90});
  const auto some = [&](auto& v) { return attention(third_dropout(), 2, cu, kQueries, v[0]); };
  const auto all = [&](auto& v) { return gather_rows(attention(third_dropout(), 2, cu, {}, v[0]), kQueries); };
  expect_same_function(some, all, {randn({131, 3 * 2 * 5})}, 1e-12);
  expect_float_agrees(some, {randn({131, 3 * 2 * 16})}, 5e-5);
  expect_bf16_agrees(some, {randn({131, 3 * 2 * 16})}, {0}, 0.02);
}

TEST(Attention, RefusesQueriesThatDoNotRiseWithinTheBatch) {
  const Lengths cu = cumulative({3});
  const Var qkv(randn({3, 12}));
  EXPECT_THROW(attention({}, 2, cu, Lengths{1, 1}, qkv), ShapeError);
  EXPECT_THROW(attention({}, 2, cu, Lengths{1, 3}, qkv), ShapeError);
}

TEST(Attention, SurvivesEnormousScores) {
  const Lengths cu = cumulative({4});
  Tensor qkv = randn({4, 12});
  for (double& x : qkv.span<double>()) x *= 200;
  const Tensor y = attention({}, 1, cu, {}, Var(to_float(qkv))).value();
  for (const float e : y.span<float>()) EXPECT_TRUE(std::isfinite(e));
}

TEST(Attention, ASequenceDoesNotSeeAnother) {
  const Tensor qkv = randn({7, 24});
  const Lengths both = cumulative({3, 4});
  const Lengths first = cumulative({3});
  const Tensor y = attention({}, 2, both, {}, Var(qkv)).value();
  const Tensor alone = attention({}, 2, first, {}, Var(qkv.row_range(0, 3))).value();
  EXPECT_EQ(max_difference(y.row_range(0, 3), alone), 0);
}

TEST(Attention, RefusesWhatDoesNotDivideOrEnd) {
  const Lengths cu = cumulative({3});
  const Var qkv(randn({3, 12}));
  EXPECT_THROW(attention({}, 3, cu, {}, qkv), ShapeError);
  EXPECT_THROW(attention({}, 2, cumulative({2}), {}, qkv), ShapeError);
  EXPECT_THROW(attention({}, 2, Lengths{0, 2, 2, 3}, {}, qkv), ShapeError);
}

TEST(AttentionProbabilities, RowsSumToOneAndReproduceTheOutput) {
  const Lengths cu = cumulative({3, 2});
  const Tensor qkv = randn({5, 12});
  const Tensor p = attention_probabilities(1, cu, qkv);
  ASSERT_EQ(p.numel(), 9 + 4);
  const Tensor y = attention({}, 1, cu, {}, Var(qkv)).value();
  for (int row = 0; row < 3; ++row) {
    double sum = 0;
    double first = 0;
    for (int j = 0; j < 3; ++j) {
      sum += p.data<double>()[row * 3 + j];
      first += p.data<double>()[row * 3 + j] * qkv.data<double>()[j * 12 + 8];
    }
    EXPECT_NEAR(sum, 1, 1e-12);
    EXPECT_NEAR(first, y.data<double>()[row * 4], 1e-12);
  }
}

}  // namespace
}  // namespace bertha
