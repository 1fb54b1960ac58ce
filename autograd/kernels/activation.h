#pragma once

#include <cstdint>

#include "autograd/core/dtype.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {

/// kErf: x Phi(x); kTanh: its approximation (Hendrycks and Gimpel 2016, arXiv:1606.08415).
enum class Gelu { kErf, kTanh };

/// y = gelu(x + bias), x and y (rows, cols), bias (cols). Float: absolute error below 1e-6 for |x| < 10.
template <class Isa, class T>
void bias_gelu(Gelu kind, int64_t rows, int64_t cols, const T* x, const Precise<T>* bias, T* y);

/// dx = dy gelu'(x + bias); dx may be dy. y, unless null, receives gelu(x + bias) again.
template <class Isa, class T>
void bias_gelu_backward(Gelu kind, int64_t rows, int64_t cols, const T* x, const Precise<T>* bias, const T* dy, T* dx,
                        T* y);

/// y = tanh(x).
template <class Isa, class T>
void tanh(int64_t n, const T* x, T* y);

/// dx = dy (1 - y^2) + beta dx.
template <class Isa, class T>
void tanh_backward(int64_t n, const T* y, const T* dy, double beta, T* dx);

/// y = max(x, 0).
template <class Isa, class T>
void relu(int64_t n, const T* x, T* y);

/// dx = dy where y > 0, 0 elsewhere, + beta dx.
template <class Isa, class T>
void relu_backward(int64_t n, const T* y, const T* dy, double beta, T* dx);

}  // namespace bertha::kernels
