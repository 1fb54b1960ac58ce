#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "autograd/kernels/optimizer_update.h"
#include "nn/parameter.h"
#include "train/comm/communicator.h"
#include "train/partition.h"

namespace bertha {

enum class OptimizerKind { kAdamW, kLamb };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0.01;   // where PublishedTensor::weight_decay
  double clip_grad_norm = 1.0;  // 0: gradients are not clipped
  /// What multiplies a tensor's learning rate; none: 1. See layer_decay.h.
  std::function<double(const PublishedTensor& tensor)> learning_rate_scale = {};
};

/// Updates a store's values from its gradients, with the same bits on any number of threads and on every instruction
/// set. AdamW: Loshchilov & Hutter 2019 (arXiv:1711.05101), decoupled decay scaled by the learning rate, bias
/// correction. LAMB: You et al. 2020 (arXiv:1904.00962), algorithm 2, with bias correction; the trust ratio of every
/// published tensor is |p| / |u|, not clipped, and 1 where either norm is 0.
class Optimizer {
 public:
  Optimizer(const OptimizerOptions& options, ParameterStore& store);

  /// One of several that share the work and the moments: each rank updates its shares of the buckets, from gradients
  /// that need to be there only, with the same bits as one that updates all. The methods below are collective then.
  /// Source: Rajbhandari et al. 2020 (arXiv:1910.02054) §5.1, "P_os".
  Optimizer(const OptimizerOptions& options, ParameterStore& store, std::span<const Bucket> buckets,
            Communicator& communicator);

  /// Euclidean norm of all gradients, before clipping; infinite or NaN where a gradient is.
  double gradient_norm();

  /// One step; gradients are clipped to clip_grad_norm on the way, by the factor clip_grad_norm / (norm + 1e-6).
  /// Throws: Error where the norm is not finite; nothing has changed then.
  void apply(double learning_rate, double gradient_norm);

  /// Fetches the values that other ranks have updated.
  void gather_values();

  /// Steps taken so far; the number of the bias correction.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

  /// What this rank updates, as ranges of the store's flat blocks. Its moments lie there end to end, zero before the
  /// first step.
  std::span<const IndexRange> shares() const { return shares_; }
  std::span<float> first_moments() { return first_moments_.span<float>(); }
  std::span<float> second_moments() { return second_moments_.span<float>(); }

 private:
  // A piece that this rank updates.
  struct OwnPiece {
    size_t number = 0;    // place in pieces_
    int64_t moments = 0;  // offset in the blocks of moments
  };

  void take_shares(std::vector<IndexRange> shares);
  template <class F>
  void for_each_own_piece(F&& f) const;
  void complete(std::span<double> by_piece) const;
  kernels::AdamCoefficients coefficients(double gradient_norm) const;
  double weight_decay(const Piece& piece) const;
  double scaled(double learning_rate, const Piece& piece) const;
  void apply_adamw(double learning_rate, const kernels::AdamCoefficients& c);
  void apply_lamb(double learning_rate, const kernels::AdamCoefficients& c);
  std::vector<double> trust_ratios(std::span<const double> values, std::span<const double> directions) const;

  const OptimizerOptions options_;
  ParameterStore& store_;
  std::vector<PublishedTensor> tensors_;  // in the order of the flat block
  std::vector<Piece> pieces_;             // of all ranks
  Communicator* communicator_ = nullptr;  // where ranks share the work
  std::vector<Bucket> buckets_;           // likewise
  std::vector<IndexRange> shares_;
  std::vector<OwnPiece> own_pieces_;
  Tensor first_moments_, second_moments_;
  int64_t steps_ = 0;
};

}  // namespace bertha
