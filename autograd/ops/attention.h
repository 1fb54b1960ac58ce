#pragma once

#include <cstdint>
#include <span>

#include "autograd/ops/dropout.h"
#include "autograd/tape.h"

namespace bertha {

/// Attention over packed sequences: softmax(q k' / sqrt(D)) v within each sequence; tokens never see another sequence.
/// Source:  Vaswani et al. 2017 (arXiv:1706.03762) §3.2; blocked evaluation after Dao et al. 2022 (arXiv:2205.14135).
/// Shapes:  qkv (N, 3H) as [q | k | v]; cu_seqlens (B + 1), first 0, last N; queries (M) the rows whose results are
///          wanted, rising, or empty for all; result (M, H).
/// Units:   log-sum-exp in nats.
/// Saves:   qkv, result, one number per (token, head); probabilities are recomputed. cu_seqlens must outlive backward.
/// Throws:  ShapeError if H % heads != 0, cu_seqlens does not rise from 0 to N or queries do not rise below N.
Var attention(const Dropout& dropout, int64_t heads, std::span<const int32_t> cu_seqlens,
              std::span<const int32_t> queries, const Var& qkv);

/// The probabilities alone, for those who look inside: for each sequence in turn (A, n, n), flat.
Tensor attention_probabilities(int64_t heads, std::span<const int32_t> cu_seqlens, const Tensor& qkv);

}  // namespace bertha
