#pragma once

#include <cstdint>
#include <vector>

#include "visualize/attention_capture.h"

namespace bertha {

/// Attention rollout: how much of each input token reaches each position through all layers, residual connections
/// included. A layer is 0.5 I + 0.5 of its heads' mean, rows normalised; layers multiply.
/// Source: Abnar and Zuidema 2020 (arXiv:2005.00928) §3.
class AttentionRollout {
 public:
  /// Layers from the first to the last.
  void add(const LayerAttention& layer);

  /// (n, n), row-major: positions behind the last layer by input tokens; rows sum to 1.
  const std::vector<double>& matrix() const { return matrix_; }

 private:
  std::vector<double> matrix_;
};

/// (n, n): the mean over a layer's heads.
std::vector<double> mean_of_heads(const LayerAttention& layer);

}  // namespace bertha
