#pragma once

#include <cstdint>

namespace bertha::kernels {

/// Per row of logits + bias (rows, classes): log_sum_exp (rows) in nats, the loss of its label, and whether the label
/// has the largest logit (a tie counts as correct).
template <class T>
void cross_entropy(int64_t rows, int64_t classes, const T* logits, const T* bias, const int32_t* labels, T* log_sum_exp,
                   T* loss, uint8_t* correct);

/// In place: logits become scale (softmax(logits + bias) - onehot(label)).
template <class T>
void cross_entropy_backward(int64_t rows, int64_t classes, T* logits, const T* bias, const int32_t* labels,
                            const T* log_sum_exp, T scale);

}  // namespace bertha::kernels
