#pragma once

#include <cstdint>
#include <span>

#include "nn/bert_config.h"

namespace bertha {

/// Floating-point operations of forward and backward over packed sequences with `masked` predicted positions in all:
/// 6 L (4 H^2 + 2 H F) S + 12 L H S^2 for each sequence of length S, and 6 P (H V + H^2) for P predicted positions.
/// Recomputation, softmax, normalisation and the pooler are not counted.
inline double pretraining_flops(const BertConfig& c, std::span<const int32_t> cu_seqlens, int64_t masked) {
  const auto layers = static_cast<double>(c.num_hidden_layers);
  const auto hidden = static_cast<double>(c.hidden_size);
  const auto intermediate = static_cast<double>(c.intermediate_size);
  double flops = 6.0 * static_cast<double>(masked) * hidden * (static_cast<double>(c.vocab_size) + hidden);
  for (size_t i = 1; i < cu_seqlens.size(); ++i) {
    const double length = cu_seqlens[i] - cu_seqlens[i - 1];
    flops += 6 * layers * (4 * hidden * hidden + 2 * hidden * intermediate) * length +
             12 * layers * hidden * length * length;
  }
  return flops;
}

}  // namespace bertha
