#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/kernels/optimizer_update.h"
#include "nn/parameter.h"

namespace bertha {

enum class OptimizerKind { kAdamW, kLamb };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0.01;   // where PublishedTensor::weight_decay
  double clip_grad_norm = 1.0;  // 0: gradients are not clipped
};

/// Updates a store's values from its gradients, with the same bits on any number of threads and on every instruction
/// set. AdamW: Loshchilov & Hutter 2019 (arXiv:1711.05101), decoupled decay scaled by the learning rate, bias
/// correction. LAMB:  You et al. 2020 (arXiv:1904.00962), algorithm 2, with bias correction; the trust ratio of every
/// published
///        tensor is |p| / |u|, not clipped, and 1 where either norm is 0.
class Optimizer {
 public:
  Optimizer(const OptimizerOptions& options, ParameterStore& store);

  /// Euclidean norm of all gradients, before clipping; infinite or NaN where a gradient is.
  double gradient_norm();

  /// One step; gradients are clipped to clip_grad_norm on the way, by the factor clip_grad_norm / (norm + 1e-6).
  /// Throws: Error where the norm is not finite; nothing has changed then.
  void apply(double learning_rate, double gradient_norm);

  /// Steps taken so far; the number of the bias correction.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

  /// In the layout of the store's flat blocks, zero before the first step.
  std::span<float> first_moments() { return first_moments_.span<float>(); }
  std::span<float> second_moments() { return second_moments_.span<float>(); }

 private:
  // A part of one published tensor: what one thread works on at a time.
  struct Piece {
    int64_t offset = 0;
    int64_t size = 0;
    size_t tensor = 0;  // place in tensors_
  };

  template <class F>
  void for_each_piece(F&& f) const;
  kernels::AdamCoefficients coefficients(double gradient_norm) const;
  double weight_decay(const Piece& piece) const;
  void apply_adamw(double learning_rate, const kernels::AdamCoefficients& c);
  void apply_lamb(double learning_rate, const kernels::AdamCoefficients& c);
  std::vector<double> trust_ratios(std::span<const kernels::LambSquares> by_piece) const;

  const OptimizerOptions options_;
  ParameterStore& store_;
  std::vector<PublishedTensor> tensors_;  // in the order of the flat block
  std::vector<Piece> pieces_;
  Tensor first_moments_, second_moments_;
  int64_t steps_ = 0;
};

/// The first tensor, in the order of forward use, whose gradient holds an infinity or a NaN; null where none does.
const PublishedTensor* first_tensor_with_nonfinite_gradient(const ParameterStore& store);

}  // namespace bertha
