#include "autograd/kernels/optimizer_update.h"

#include <xmmintrin.h>

#include <algorithm>
#include <cmath>

namespace bertha::kernels {
namespace {

// The moments of a row that gets no gradient decay to numbers too small for a normal float and would stay there, at a
// third of the speed.
class SmallNumbersAreZero {
 public:
  SmallNumbersAreZero() { _mm_setcsr(before_ | kFlushResults | kZeroOperands); }
  ~SmallNumbersAreZero() { _mm_setcsr(before_); }
  SmallNumbersAreZero(const SmallNumbersAreZero&) = delete;
  SmallNumbersAreZero& operator=(const SmallNumbersAreZero&) = delete;

 private:
  static constexpr unsigned kFlushResults = 0x8000;
  static constexpr unsigned kZeroOperands = 0x0040;
  const unsigned before_ = _mm_getcsr();
};

// A sum in eight lanes of fixed membership, which vectorises with no change of order.
class LaneSum {
 public:
  static constexpr int kLanes = 8;

  void add_square(int lane, float x) { lanes_[lane] += static_cast<double>(x) * x; }
  double total() const {
    return ((lanes_[0] + lanes_[1]) + (lanes_[2] + lanes_[3])) + ((lanes_[4] + lanes_[5]) + (lanes_[6] + lanes_[7]));
  }

 private:
  double lanes_[kLanes] = {};
};

// Calls f(i, lane) for all i in [0, n).
template <class F>
void for_each_lane(int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + LaneSum::kLanes <= n; i += LaneSum::kLanes) {
    for (int lane = 0; lane < LaneSum::kLanes; ++lane) f(i + lane, lane);
  }
  for (; i < n; ++i) f(i, static_cast<int>(i % LaneSum::kLanes));
}

inline void update_moments(float dp, float& m, float& v, const AdamCoefficients& c) {
  const float g = dp * c.gradient_scale;
  m += c.one_minus_beta1 * (g - m);
  v = c.beta2 * v + c.one_minus_beta2 * g * g;
}

inline float adam_direction(float m, float v, const AdamCoefficients& c) {
  return m * c.first_correction / (std::sqrt(v) * c.second_correction + c.epsilon);
}

}  // namespace

double sum_of_squares(const float* x, int64_t n) {
  const SmallNumbersAreZero scope;
  LaneSum sum;
  for_each_lane(n, [&](int64_t i, int lane) { sum.add_square(lane, x[i]); });
  return sum.total();
}

void adamw_update(float* __restrict__ p, const float* __restrict__ dp, float* __restrict__ m, float* __restrict__ v,
                  int64_t n, const AdamCoefficients& coefficients, float learning_rate, float decay_factor) {
  const SmallNumbersAreZero scope;
  const AdamCoefficients c = coefficients;
  for (int64_t i = 0; i < n; ++i) {
    update_moments(dp[i], m[i], v[i], c);
    p[i] = p[i] * decay_factor - learning_rate * adam_direction(m[i], v[i], c);
  }
}

LambSquares lamb_moments(const float* __restrict__ p, const float* __restrict__ dp, float* __restrict__ m,
                         float* __restrict__ v, int64_t n, const AdamCoefficients& coefficients, float weight_decay) {
  const SmallNumbersAreZero scope;
  const AdamCoefficients c = coefficients;
  LaneSum values, direction;
  for_each_lane(n, [&](int64_t i, int lane) {
    update_moments(dp[i], m[i], v[i], c);
    values.add_square(lane, p[i]);
    direction.add_square(lane, adam_direction(m[i], v[i], c) + weight_decay * p[i]);
  });
  return {values.total(), direction.total()};
}

void lamb_update(float* __restrict__ p, const float* __restrict__ m, const float* __restrict__ v, int64_t n,
                 const AdamCoefficients& coefficients, float weight_decay, float rate) {
  const SmallNumbersAreZero scope;
  const AdamCoefficients c = coefficients;
  for (int64_t i = 0; i < n; ++i) p[i] -= rate * (adam_direction(m[i], v[i], c) + weight_decay * p[i]);
}

}  // namespace bertha::kernels
