#pragma once

#include <cstdint>

namespace bertha::kernels {

/// kErf: x Phi(x); kTanh: its approximation (Hendrycks and Gimpel 2016, arXiv:1606.08415).
enum class Gelu { kErf, kTanh };

/// y = gelu(x + bias), x and y (rows, cols), bias (cols).
template <class T>
void bias_gelu(Gelu kind, int64_t rows, int64_t cols, const T* x, const T* bias, T* y);

/// dx = dy gelu'(x + bias).
template <class T>
void bias_gelu_backward(Gelu kind, int64_t rows, int64_t cols, const T* x, const T* bias, const T* dy, T* dx);

/// y = tanh(x).
template <class T>
void tanh(int64_t n, const T* x, T* y);

/// dx = dy (1 - y^2) + beta dx.
template <class T>
void tanh_backward(int64_t n, const T* y, const T* dy, T beta, T* dx);

}  // namespace bertha::kernels
