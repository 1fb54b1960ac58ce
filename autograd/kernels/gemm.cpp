#include "autograd/kernels/gemm.h"

#include <cblas.h>

#include <algorithm>

namespace bertha::kernels {
namespace {

CBLAS_TRANSPOSE blas(Transpose transpose) {
  return transpose == kYes ? CblasTrans : CblasNoTrans;
}
blasint leading(int64_t columns) {
  return static_cast<blasint>(std::max<int64_t>(columns, 1));
}

}  // namespace

template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n, int64_t k, const T* a, const T* b, T beta,
          T* c) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (beta == 0) std::fill_n(c, m * n, T{0});
    return;
  }
  const blasint lda = leading(transpose_a == kYes ? m : k);
  const blasint ldb = leading(transpose_b == kYes ? k : n);
  const auto call = [&](auto* blas_gemm) {
    blas_gemm(CblasRowMajor, blas(transpose_a), blas(transpose_b), static_cast<blasint>(m), static_cast<blasint>(n),
              static_cast<blasint>(k), T{1}, a, lda, b, ldb, beta, c, leading(n));
  };
  if constexpr (sizeof(T) == 4) {
    call(&cblas_sgemm);
  } else {
    call(&cblas_dgemm);
  }
}

template void gemm(Transpose, Transpose, int64_t, int64_t, int64_t, const float*, const float*, float, float*);
template void gemm(Transpose, Transpose, int64_t, int64_t, int64_t, const double*, const double*, double, double*);

std::string blas_version() {
  return openblas_get_config();
}

}  // namespace bertha::kernels
