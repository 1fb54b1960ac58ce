#include "autograd/ops/matmul.h"

namespace bertha {

void matmul(kernels::Transpose transpose_a, kernels::Transpose transpose_b, const Tensor& a, const Tensor& b,
            double beta, Tensor& c) {
  const int64_t m = transpose_a == kernels::kYes ? a.cols() : a.rows();
  const int64_t k = transpose_a == kernels::kYes ? a.rows() : a.cols();
  const int64_t n = transpose_b == kernels::kYes ? b.rows() : b.cols();
  dispatch(c.dtype(), [&]<class T>() {
    kernels::gemm<T>(transpose_a, transpose_b, m, n, k, a.data<T>(), b.data<T>(), static_cast<T>(beta), c.data<T>());
  });
}

}  // namespace bertha
