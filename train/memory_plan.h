#pragma once

#include <cstdint>

#include "nn/bert_config.h"

namespace bertha {

/// Where a pretraining step's memory goes on one rank, in bytes.
struct MemoryPlan {
  int64_t parameters = 0;   // values, gradients and this rank's moments
  int64_t slices = 0;       // further gradient blocks of deterministic mode
  int64_t activations = 0;  // of one micro-slice at the end of its forward pass
  int64_t logits = 0;

  int64_t total() const { return parameters + slices + activations + logits; }
};

/// For `parameters` elements, whose moments `optimizer_ranks` share, and micro-slices of `tokens` tokens, `masked` of
/// them predicted.
MemoryPlan plan_memory(const BertConfig& config, int64_t parameters, int64_t tokens, int64_t masked,
                       int64_t gradient_blocks, int optimizer_ranks);

}  // namespace bertha
