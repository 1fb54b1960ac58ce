#pragma once

#include <cstdint>

#include "autograd/core/dtype.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {

/// Per row of logits (rows, classes): the loss of its label in nats, and whether the label has the largest logit (a tie
/// counts as correct). dlogits, unless null, receives scale (softmax(logits) - onehot(label)) and may be the logits,
/// which are used up.
template <class Isa, class T>
void cross_entropy(int64_t rows, int64_t classes, Precise<T>* logits, const int32_t* labels, double scale,
                   double* losses, uint8_t* correct, T* dlogits);

}  // namespace bertha::kernels
