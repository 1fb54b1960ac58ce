#include "autograd/kernels/simd.h"

#include <gtest/gtest.h>

namespace bertha::simd {
namespace {

// The largest error of a vector function against the standard library's in double, over floats of [from, to].
template <class F, class G, class E>
double worst_error(F function, G reference, E error, float from, float to) {
  double worst = 0;
  const float step = (to - from) / 2e6f;
  for (float x = from; x < to; x += step * kWidth<float>) {
    Vec<float> v;
    for (int i = 0; i < kWidth<float>; ++i) v[i] = x + static_cast<float>(i) * step;
    const Vec<float> got = function(v);
    for (int i = 0; i < kWidth<float>; ++i) worst = std::max(worst, error(got[i], reference(double{v[i]})));
  }
  return worst;
}

double absolute(double got, double want) {
  return std::abs(got - want);
}
double relative(double got, double want) {
  return std::abs(got / want - 1);
}

TEST(Simd, TranscendentalsKeepTheirStatedErrors) {
  EXPECT_LT(worst_error([](auto v) { return exp(v); }, [](double x) { return std::exp(x); }, relative, -87, 88), 2e-7);
  EXPECT_LT(worst_error([](auto v) { return normal(v).cdf; },
                        [](double x) { return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2); }, absolute, -12, 12),
            3e-7);
  EXPECT_LT(
      worst_error([](auto v) { return normal(v).density; },
                  [](double x) { return std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2; },
                  absolute, -12, 12),
      3e-7);
  EXPECT_LT(worst_error([](auto v) { return tanh(v); }, [](double x) { return std::tanh(x); }, absolute, -12, 12),
            2e-7);
}

TEST(Simd, ExpOfTheExtremes) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Vec<float> y = exp(Vec<float>{-kInfinity, kInfinity, -1e9f, 1e9f, 0, NAN});
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], kInfinity);
  EXPECT_EQ(y[2], 0);
  EXPECT_EQ(y[3], kInfinity);
  EXPECT_EQ(y[4], 1);
  EXPECT_TRUE(std::isnan(y[5]));
}

template <class T>
void expect_transposed() {
  constexpr int kSide = kWidth<T>;
  Vec<T> square[kSide];
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) square[i][j] = static_cast<T>(i * kSide + j);
  }
  transpose(square);
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) EXPECT_EQ(square[i][j], static_cast<T>(j * kSide + i));
  }
}

TEST(Simd, TransposesSquares) {
  expect_transposed<float>();
  expect_transposed<double>();
}

TEST(Simd, PartialLoadsAndStoresTouchNothingElse) {
  float memory[kWidth<float>] = {1, 2, 3, 4};
  const Vec<float> v = load(memory, 3);
  EXPECT_EQ(v[2], 3);
  EXPECT_EQ(v[3], 0);
  store(memory, broadcast(9.0f), 2);
  EXPECT_EQ(memory[1], 9);
  EXPECT_EQ(memory[2], 3);
}

}  // namespace
}  // namespace bertha::simd
