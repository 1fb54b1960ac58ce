#pragma once

#include "autograd/kernels/gemm.h"
#include "autograd/tensor.h"

namespace bertha {

/// c = op(a) op(b) + beta c on whole tensors; the only way ops reach the GEMM kernel. All of one type, or activations
/// in bf16 with parameters, their gradients and logits in f32.
void matmul(kernels::Transpose transpose_a, kernels::Transpose transpose_b, const Tensor& a, const Tensor& b,
            double beta, Tensor& c);

/// c = op(a) op(b) + bias, bias (n).
void matmul_add_bias(kernels::Transpose transpose_a, kernels::Transpose transpose_b, const Tensor& a, const Tensor& b,
                     const Tensor& bias, Tensor& c);

}  // namespace bertha
