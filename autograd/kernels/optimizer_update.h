#pragma once

#include <cstdint>

namespace bertha::kernels {

/// What one step of AdamW or LAMB multiplies by, the same for every element.
struct AdamCoefficients {
  float gradient_scale = 1;  // below 1 where the gradient is clipped
  float one_minus_beta1 = 0;
  float beta2 = 0;
  float one_minus_beta2 = 0;
  float first_correction = 1;   // 1 / (1 - beta1^t)
  float second_correction = 1;  // 1 / sqrt(1 - beta2^t)
  float epsilon = 0;
};

// All kernels of this file give the same bits on every instruction set: no multiplication is fused with an addition,
// sums have a fixed order, and numbers too small for a normal float are zero.

/// The sum of the squares of x (n), in double.
double sum_of_squares(const float* x, int64_t n);

/// One step of AdamW on n elements: moments m and v, then p = p decay_factor - learning_rate m' / (sqrt(v') + epsilon),
/// m' and v' without the bias to their start at zero.
/// Source: Loshchilov & Hutter 2019 (arXiv:1711.05101), algorithm 2, with the decay factor 1 - learning_rate
/// weight_decay.
void adamw_update(float* p, const float* dp, float* m, float* v, int64_t n, const AdamCoefficients& c,
                  float learning_rate, float decay_factor);

/// Sums of squares of a tensor's values and of the LAMB direction u = m' / (sqrt(v') + epsilon) + weight_decay p.
struct LambSquares {
  double values = 0;
  double direction = 0;
};

/// The first half of a step of LAMB on n elements: the moments, and what the trust ratio is made of.
/// Source: You et al. 2020 (arXiv:1904.00962), algorithm 2.
LambSquares lamb_moments(const float* p, const float* dp, float* m, float* v, int64_t n, const AdamCoefficients& c,
                         float weight_decay);

/// The second half: p -= rate u, where rate is the learning rate times the trust ratio.
void lamb_update(float* p, const float* m, const float* v, int64_t n, const AdamCoefficients& c, float weight_decay,
                 float rate);

}  // namespace bertha::kernels
