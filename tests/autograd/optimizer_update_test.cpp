#include "autograd/kernels/optimizer_update.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/core/random.h"

namespace bertha::kernels {
namespace {

// Each operation rounded to float on its own; volatile, or the compiler fuses here what the kernel must not.
class Rounded {
 public:
  explicit Rounded(float x) : x_(x) {}
  friend Rounded operator+(Rounded a, Rounded b) { return rounded(a.x_ + b.x_); }
  friend Rounded operator-(Rounded a, Rounded b) { return rounded(a.x_ - b.x_); }
  friend Rounded operator*(Rounded a, Rounded b) { return rounded(a.x_ * b.x_); }
  friend Rounded operator/(Rounded a, Rounded b) { return rounded(a.x_ / b.x_); }
  friend Rounded sqrt(Rounded a) { return rounded(std::sqrt(a.x_)); }
  float value() const { return x_; }

 private:
  static Rounded rounded(float result) {
    const volatile float stored = result;
    return Rounded(stored);
  }

  float x_;
};

struct Data {
  explicit Data(int64_t n) {
    RandomStream stream(5, "update");
    for (auto* block : {&p, &dp, &m, &v}) {
      for (int64_t i = 0; i < n; ++i) block->push_back(static_cast<float>(stream.normal()));
    }
    for (float& x : v) x = std::abs(x);
  }
  std::vector<float> p, dp, m, v;
};

constexpr AdamCoefficients kCoefficients{.gradient_scale = 0.7f,
                                         .one_minus_beta1 = 0.1f,
                                         .beta2 = 0.999f,
                                         .one_minus_beta2 = 0.001f,
                                         .first_correction = 1.7f,
                                         .second_correction = 9.3f,
                                         .epsilon = 1e-6f};

struct Expected {
  Rounded m, v, direction;
};

Expected expected(const Data& data, size_t i) {
  const AdamCoefficients& c = kCoefficients;
  const Rounded g = Rounded(data.dp[i]) * Rounded(c.gradient_scale);
  const Rounded m = Rounded(data.m[i]) + Rounded(c.one_minus_beta1) * (g - Rounded(data.m[i]));
  const Rounded v = Rounded(c.beta2) * Rounded(data.v[i]) + Rounded(c.one_minus_beta2) * g * g;
  const Rounded direction =
      m * Rounded(c.first_correction) / (sqrt(v) * Rounded(c.second_correction) + Rounded(c.epsilon));
  return {m, v, direction};
}

TEST(AdamwUpdate, RoundsEveryOperationOnItsOwn) {
  for (const int64_t n : {1, 7, 8, 31, 1000}) {
    const Data before(n);
    Data data = before;
    adamw_update(data.p.data(), data.dp.data(), data.m.data(), data.v.data(), n, kCoefficients, 0.01f, 0.998f);
    for (size_t i = 0; i < data.p.size(); ++i) {
      const auto [m, v, direction] = expected(before, i);
      ASSERT_EQ(data.m[i], m.value());
      ASSERT_EQ(data.v[i], v.value());
      const Rounded p = Rounded(before.p[i]) * Rounded(0.998f) - Rounded(0.01f) * direction;
      ASSERT_EQ(data.p[i], p.value()) << "element " << i << " of " << n;
    }
  }
}

TEST(LambUpdate, RoundsEveryOperationOnItsOwn) {
  for (const int64_t n : {1, 7, 8, 31, 1000}) {
    const Data before(n);
    Data data = before;
    const LambSquares squares =
        lamb_moments(data.p.data(), data.dp.data(), data.m.data(), data.v.data(), n, kCoefficients, 0.3f);
    lamb_update(data.p.data(), data.m.data(), data.v.data(), n, kCoefficients, 0.3f, 0.02f);
    double values = 0;
    double directions = 0;
    for (size_t i = 0; i < data.p.size(); ++i) {
      const auto [m, v, direction] = expected(before, i);
      const Rounded u = direction + Rounded(0.3f) * Rounded(before.p[i]);
      ASSERT_EQ(data.m[i], m.value());
      ASSERT_EQ(data.v[i], v.value());
      ASSERT_EQ(data.p[i], (Rounded(before.p[i]) - Rounded(0.02f) * u).value()) << "element " << i << " of " << n;
      values += double{before.p[i]} * before.p[i];
      directions += double{u.value()} * u.value();
    }
    EXPECT_NEAR(squares.values, values, 1e-13 * values);
    EXPECT_NEAR(squares.direction, directions, 1e-13 * directions);
  }
}

TEST(AdamwUpdate, MomentsTooSmallForANormalFloatBecomeZero) {
  float p = 1, dp = 0, m = 1e-38f, v = 1e-38f;
  constexpr AdamCoefficients kDecaying{.one_minus_beta1 = 0.5f, .beta2 = 0.5f, .epsilon = 1e-6f};
  adamw_update(&p, &dp, &m, &v, 1, kDecaying, 0.1f, 1);
  EXPECT_EQ(m, 0);
  EXPECT_EQ(v, 0);
  EXPECT_EQ(p, 1);
  volatile float still_gradual = std::numeric_limits<float>::min();
  still_gradual = still_gradual / 2;
  EXPECT_GT(still_gradual, 0) << "the caller's rounding has changed";
}

TEST(SumOfSquares, AddsWholeAndPartialRowsOfLanes) {
  for (const int64_t n : {0, 1, 7, 8, 9, 1001}) {
    std::vector<float> x(n);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      x[i] = static_cast<float>(i % 17) - 8;
      sum += double{x[i]} * x[i];
    }
    EXPECT_EQ(sum_of_squares(x.data(), n), sum);
  }
}

}  // namespace
}  // namespace bertha::kernels
