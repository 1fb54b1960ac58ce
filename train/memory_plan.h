#pragma once

#include <cstdint>

#include "autograd/core/dtype.h"
#include "nn/bert_config.h"

namespace bertha {

/// What a rank keeps and computes at once.
struct PlannedStep {
  int64_t parameters = 0;         // elements
  int64_t tokens = 0;             // of a micro-slice
  int64_t masked = 0;             // of these, decoded
  int64_t first_tokens = 0;       // of these, read by a next-sentence head
  int64_t evaluation_tokens = 0;  // of a batch of evaluation; 0: none
  int64_t evaluation_masked = 0;  // of these, decoded
  int64_t gradient_blocks = 0;    // of deterministic mode, besides the first
  int optimizer_ranks = 1;        // that share the moments
  DType dtype = DType::f32;       // of activations
  bool recompute = false;         // as Run::recompute
  int64_t teacher_bytes = 0;      // as memory_of_teacher
};

/// The most memory a rank of a pretraining run has resident, in bytes, by cause. Blocks that are given back stay with
/// the process up to an eighth, so what different phases need is added up.
struct MemoryPlan {
  int64_t parameters = 0;   // values, gradients and this rank's moments
  int64_t slices = 0;       // further gradient blocks of deterministic mode
  int64_t activations = 0;  // what a forward pass keeps, and the gradients of one layer
  int64_t logits = 0;
  int64_t evaluation = 0;  // what it takes more than that, in f32
  int64_t teacher = 0;
  int64_t process = 0;  // the program, its libraries, loaded batches and packed panels

  int64_t total() const { return parameters + slices + activations + logits + evaluation + teacher + process; }
};

/// Bytes of a model that only computes, on so many tokens at once beside the one that is trained.
int64_t memory_of_teacher(const BertConfig& config, int64_t parameters, int64_t tokens);

MemoryPlan plan_memory(const BertConfig& config, const PlannedStep& step);

}  // namespace bertha
