#pragma once

#include <cstdint>

#include "autograd/kernels/dropout.h"

namespace bertha::kernels {

/// The packed batch an attention works on: N tokens of B sequences, A heads of D elements each, H = A D; and the M
/// tokens whose results are wanted.
struct AttentionShape {
  int64_t sequences = 0;
  int64_t heads = 0;
  int64_t head_size = 0;
  const int32_t* cu_seqlens = nullptr;  // (B + 1)
  int64_t longest = 0;                  // length of the longest sequence
  const int32_t* queries = nullptr;     // (M) rows, rising; null: all rows
  const int32_t* cu_queries =
      nullptr;  // (B + 1) places in queries where each sequence's begin; cu_seqlens for all rows

  int64_t hidden() const { return heads * head_size; }
};

/// Elements of scratch that one thread needs, forward and backward.
template <class Isa>
int64_t attention_scratch(const AttentionShape& shape);

/// y = dropout(softmax(q k' / sqrt(D))) v for every head within each sequence; qkv (N, 3H) as [q | k | v], y (M, H),
/// log_sum_exp (M, A) in nats; scratch (threads, attention_scratch).
/// Source: Vaswani et al. 2017 (arXiv:1706.03762) §3.2; blocked evaluation after Dao et al. 2022 (arXiv:2205.14135).
template <class Isa, class T>
void attention(const AttentionShape& shape, const Dropout& dropout, const T* qkv, T* y, Precise<T>* log_sum_exp,
               Precise<T>* scratch);

/// dqkv = the gradient by qkv + beta dqkv; probabilities are recomputed from log_sum_exp.
template <class Isa, class T>
void attention_backward(const AttentionShape& shape, const Dropout& dropout, const T* qkv, const T* y, const T* dy,
                        const Precise<T>* log_sum_exp, double beta, T* dqkv, Precise<T>* scratch);

/// softmax(q k' / sqrt(D)) itself: for each sequence in turn (A, n, n) for its length n. scratch (longest + 16).
template <class Isa, class T>
void attention_probabilities(const AttentionShape& shape, const T* qkv, Precise<T>* probabilities, Precise<T>* scratch);

}  // namespace bertha::kernels
