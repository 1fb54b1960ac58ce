#pragma once

#include <cstdint>
#include <span>

#include "autograd/ops/cross_entropy.h"
#include "autograd/tape.h"

namespace bertha {

// Losses of a task's few numbers a row. Each result (1) is scale times the sum of its terms, computed in double, and
// `sums` receives the unscaled sum, the number of terms and how many are right. Logits are float or double; saved is
// their gradient, which forward computes.

/// A term a row: -log softmax(logits_i)[labels_i]. A label below 0 makes no term. logits (M, C), labels (M).
Var cross_entropy(const Var& logits, std::span<const int32_t> labels, double scale, LossSums& sums);

/// A term an element: the cross-entropy of sigmoid(logit) and a target in [0, 1]; right on the same side of 1/2.
/// logits (B, C), targets (B C).
Var binary_cross_entropy(const Var& logits, std::span<const float> targets, double scale, LossSums& sums);

/// A term an element: (y - target)^2, never right or wrong. y (B, C), targets (B C).
Var squared_error(const Var& y, std::span<const float> targets, double scale, LossSums& sums);

/// A term a segment: -log of its share at the labelled row in a softmax over the segment's rows of one column. A label
/// below 0 makes no term. logits (N, C); segments (S + 1), rising from 0 to N; labels (S): rows of the batch.
/// Spans of an answer (Devlin et al. 2018, §4.2) and sets of choices are such segments.
Var segment_cross_entropy(const Var& logits, int64_t column, std::span<const int32_t> segments,
                          std::span<const int32_t> labels, double scale, LossSums& sums);

// Soft targets: what a teacher's logits say at a temperature T takes the labels' place. Each term is T^2 times the
// cross-entropy of the student's probabilities at T against the teacher's, less the teacher's entropy, so that
// gradients are as large at any T; it is right where both decide alike. Teachers have no gradient. Source: Hinton et
// al. 2015 (arXiv:1503.02531) §2.

/// A term a row, of softmax(logits / T). logits, teacher (M, C).
Var soft_cross_entropy(const Var& logits, const Tensor& teacher, double temperature, double scale, LossSums& sums);

/// A term an element, of sigmoid(logit / T). logits, teacher (B, C).
Var soft_binary_cross_entropy(const Var& logits, const Tensor& teacher, double temperature, double scale,
                              LossSums& sums);

/// A term a segment, of the softmax over its rows of one column; segments as segment_cross_entropy has them. logits,
/// teacher (N, C).
Var soft_segment_cross_entropy(const Var& logits, int64_t column, std::span<const int32_t> segments,
                               const Tensor& teacher, double temperature, double scale, LossSums& sums);

}  // namespace bertha
