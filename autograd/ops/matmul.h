#pragma once

#include "autograd/kernels/gemm.h"
#include "autograd/tensor.h"

namespace bertha {

/// c = op(a) op(b) + beta c on whole tensors of one type; the only way ops reach the GEMM kernel.
void matmul(kernels::Transpose transpose_a, kernels::Transpose transpose_b, const Tensor& a, const Tensor& b,
            double beta, Tensor& c);

}  // namespace bertha
