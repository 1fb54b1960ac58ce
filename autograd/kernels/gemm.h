#pragma once

#include <cstddef>
#include <cstdint>

#include "autograd/core/dtype.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {

enum class Transpose { kNo, kYes };
inline constexpr Transpose kNo = Transpose::kNo;
inline constexpr Transpose kYes = Transpose::kYes;

/// op(a) (m, k) times op(b) (k, n), row-major and contiguous; a transposed operand is stored (k, m) or (n, k).
struct GemmShape {
  Transpose transpose_a, transpose_b;
  int64_t m, n, k;
};

/// c = op(a) op(b) + bias + beta c, c (m, n), bias (n) or null. beta 0 overwrites c whatever it held; k = 0 is a
/// product of nothing. If a or b is bf16, both are rounded to it and products are summed in float. The bits do not
/// depend on the number of threads. Call from serial code: it uses all threads itself. scratch: gemm_scratch_bytes,
/// 64-byte aligned. Source: blocked and packed as in Goto & van de Geijn 2008, "Anatomy of high-performance matrix
/// multiplication".
template <class Isa, class A, class B, class C>
void gemm(const GemmShape& shape, const A* a, const B* b, const Precise<C>* bias, double beta, C* c,
          std::byte* scratch);

template <class Isa, class A, class B, class C>
int64_t gemm_scratch_bytes(const GemmShape& shape);

}  // namespace bertha::kernels
