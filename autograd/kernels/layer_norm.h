#pragma once

#include <cstdint>

#include "autograd/kernels/dropout.h"

namespace bertha::kernels {

/// y = gain * normalized + bias with normalized = (x - mean) / sqrt(variance + epsilon), row by row; statistics in two
/// passes. x, normalized, y (rows, cols); rstd (rows). Source: Ba et al. 2016 (arXiv:1607.06450). y may be x.
template <class T>
void layer_norm(int64_t rows, int64_t cols, const T* x, const T* gain, const T* bias, T epsilon, T* normalized, T* rstd,
                T* y);

/// The same of residual + dropout(x + x_bias).
template <class T>
void dropout_add_layer_norm(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, const T* x_bias,
                            const T* residual, const T* gain, const T* bias, T epsilon, T* normalized, T* rstd, T* y);

/// Where backward writes a gradient: nowhere, over whatever is there (beta 0), or on top of it (beta 1).
template <class T>
struct Target {
  T* out = nullptr;
  T beta = 0;
};

/// Rows that share one partial sum of the parameters' gradients; fixed, so that sums do not depend on threads.
inline constexpr int64_t kLayerNormBlock = 64;

/// Gradients of layer_norm. `partials` is scratch of (ceil(rows / kLayerNormBlock), 3, cols).
template <class T>
void layer_norm_backward(int64_t rows, int64_t cols, const T* dy, const T* normalized, const T* rstd, const T* gain,
                         Target<T> dx, Target<T> dgain, Target<T> dbias, T* partials);

/// Gradients of dropout_add_layer_norm. dresidual is written before dx row by row, so both may be the same memory.
template <class T>
void dropout_add_layer_norm_backward(const Dropout& dropout, int64_t rows, int64_t cols, const T* dy,
                                     const T* normalized, const T* rstd, const T* gain, Target<T> dresidual,
                                     Target<T> dx, Target<T> dx_bias, Target<T> dgain, Target<T> dbias, T* partials);

}  // namespace bertha::kernels
