#pragma once

#include <cstdint>

#include "autograd/kernels/dropout.h"

namespace bertha::kernels {

/// y = gain * normalized + bias with normalized = (x - mean) / sqrt(variance + epsilon), row by row; statistics in two
/// passes. x, normalized, y (rows, cols); rstd (rows). Source: Ba et al. 2016 (arXiv:1607.06450).
template <class Isa, class T>
void layer_norm(int64_t rows, int64_t cols, const T* x, const Precise<T>* gain, const Precise<T>* bias, double epsilon,
                T* normalized, Precise<T>* rstd, T* y);

/// The same of residual + dropout(x + x_bias). row_scratch (threads, cols).
template <class Isa, class T>
void dropout_add_layer_norm(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, const Precise<T>* x_bias,
                            const T* residual, const Precise<T>* gain, const Precise<T>* bias, double epsilon,
                            T* normalized, Precise<T>* rstd, T* y, Precise<T>* row_scratch);

/// Where backward writes a gradient: nowhere, over whatever is there (beta 0), or on top of it (beta 1).
template <class T>
struct Target {
  T* out = nullptr;
  double beta = 0;
};

/// Rows that share one partial sum of the parameters' gradients; fixed, so that sums do not depend on threads.
inline constexpr int64_t kLayerNormBlock = 64;

/// Gradients of dropout_add_layer_norm, and of layer_norm as the case without dropout where dx is everything.
/// dresidual is written before dx row by row, so both may be the same memory.
/// partials: scratch of (ceil(rows / kLayerNormBlock), 3, cols).
template <class Isa, class T>
void dropout_add_layer_norm_backward(const Dropout& dropout, int64_t rows, int64_t cols, const T* dy,
                                     const T* normalized, const Precise<T>* rstd, const Precise<T>* gain,
                                     Target<T> dresidual, Target<T> dx, Target<Precise<T>> dx_bias,
                                     Target<Precise<T>> dgain, Target<Precise<T>> dbias, Precise<T>* partials);

}  // namespace bertha::kernels
