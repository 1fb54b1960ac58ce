#pragma once

#include <cstdint>
#include <string>

namespace bertha::kernels {

enum class Transpose { kNo, kYes };
inline constexpr Transpose kNo = Transpose::kNo;
inline constexpr Transpose kYes = Transpose::kYes;

/// c = op(a) op(b) + beta c with op(a) (m, k), op(b) (k, n), c (m, n), all row-major and contiguous. beta 0 overwrites
/// c whatever it held; k = 0 is a product of nothing. Call from serial code: it uses all threads itself.
template <class T>
void gemm(Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n, int64_t k, const T* a, const T* b, T beta,
          T* c);

/// The BLAS in use, with the kernels it chose for this processor.
std::string blas_version();

}  // namespace bertha::kernels
