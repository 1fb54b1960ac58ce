#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/core/random.h"
#include "visualize/attention_capture.h"

namespace bertha {

/// A layer of these weights, (n, n) a head.
inline LayerAttention made_attention(int64_t tokens, const std::vector<std::vector<float>>& heads) {
  LayerAttention layer{
      .layer = 0, .heads = std::ssize(heads), .tokens = tokens, .probabilities = {}, .projections = {}};
  layer.probabilities = Tensor::uninitialized({layer.heads * tokens * tokens}, DType::f32);
  float* to = layer.probabilities.data<float>();
  for (const std::vector<float>& head : heads) to = std::ranges::copy(head, to).out;
  return layer;
}

/// A layer whose queries and keys are random in [-size, size] and whose weights follow from them, computed in double.
inline LayerAttention random_attention(int64_t tokens, int64_t heads, int64_t head_size, double size, uint64_t seed) {
  LayerAttention layer{.layer = 0, .heads = heads, .tokens = tokens, .probabilities = {}, .projections = {}};
  const int64_t hidden = heads * head_size;
  layer.projections = Tensor::uninitialized({tokens, 3 * hidden}, DType::f32);
  RandomStream random(seed, "attention");
  for (float& x : layer.projections.span<float>()) x = static_cast<float>(size * (2 * random.uniform() - 1));
  layer.probabilities = Tensor::uninitialized({heads * tokens * tokens}, DType::f32);
  const float* rows = layer.projections.data<float>();
  float* to = layer.probabilities.data<float>();
  for (int64_t row = 0; row < heads * tokens; ++row) {
    const float* query = rows + row % tokens * 3 * hidden + row / tokens * head_size;
    std::vector<double> weights;
    double sum = 0;
    for (int64_t token = 0; token < tokens; ++token) {
      const float* key = rows + token * 3 * hidden + hidden + row / tokens * head_size;
      double score = 0;
      for (int64_t d = 0; d < head_size; ++d) score += double{query[d]} * key[d];
      weights.push_back(std::exp(score / std::sqrt(static_cast<double>(head_size))));
      sum += weights.back();
    }
    for (const double weight : weights) *to++ = static_cast<float>(weight / sum);
  }
  return layer;
}

}  // namespace bertha
