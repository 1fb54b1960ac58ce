#pragma once

#include <cstdint>
#include <span>

#include "autograd/tape.h"

namespace bertha {

/// What a batch's labels cost: summed, so that parts combine exactly (a mean of means would be wrong).
struct LossSums {
  double loss = 0;      // nats
  int64_t labels = 0;   // M
  int64_t correct = 0;  // labels with the largest logit

  LossSums& operator+=(const LossSums& other);
  /// Of one label; 0 where there is none.
  double mean() const { return labels ? loss / static_cast<double>(labels) : 0; }
  double accuracy() const { return labels ? static_cast<double>(correct) / static_cast<double>(labels) : 0; }
};

/// loss = scale * sum_i -log softmax(x_i W' + b)[labels_i], the last linear layer included so that one buffer serves
/// logits and their gradient.
/// Shapes: x (M, H), w (V, H), b (V), labels (M) in [0, V), result (1); M may be 0. `sums`, where given, receives the
/// unscaled sums, `row_losses` one loss a row. Saves: x, w, and the gradient by the logits, which takes their place.
struct CrossEntropyOutputs {
  LossSums* sums = nullptr;
  std::vector<double>* row_losses = nullptr;
};
Var linear_cross_entropy(const Var& x, const Var& w, const Var& b, std::span<const int32_t> labels, double scale,
                         const CrossEntropyOutputs& outputs);

}  // namespace bertha
