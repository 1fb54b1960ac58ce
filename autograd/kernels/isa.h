#pragma once

#include <string_view>
#include <utility>

#include "autograd/core/dtype.h"

/// Kernels are templates over an instruction set. Their files are compiled once for each with BERTHA_ISA naming it, so
/// that one binary serves a cluster of different processors; which one runs is decided at start-up. Helpers in those
/// files have internal linkage: the linker must never give a slower processor a faster one's instructions.
namespace bertha::kernels {

struct Avx2 {};    // x86-64-v3: every processor the binary runs on
struct Avx512 {};  // x86-64-v4; bf16 kernels also need AVX512_BF16
struct Amx {};     // AVX512_BF16 and the matrix instructions AMX_BF16: products of bf16 only

/// Whether this processor has AVX-512 and the environment variable BERTHA_ISA is not `avx2`.
bool has_avx512();
/// Whether bf16 tensors can be computed with: AVX-512 with its bf16 dot products.
bool has_bf16();
/// Whether bf16 tensors are multiplied by AMX: the processor and the system have it and BERTHA_ISA is neither `avx2`
/// nor `avx512`. Asks the system for its registers, for all threads.
bool has_amx();
/// `amx_bf16`, `avx512_bf16`, `avx512` or `avx2`: the best of these that is in use.
std::string_view isa_name();

/// Calls f.template operator()<Isa, T>() with the C++ type of `dtype` and the instruction set its kernels run with.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::bf16:
      return std::forward<F>(f).template operator()<Avx512, bfloat16>();
    case DType::f64:
      return std::forward<F>(f).template operator()<Avx2, double>();
    default:
      return has_avx512() ? std::forward<F>(f).template operator()<Avx512, float>()
                          : std::forward<F>(f).template operator()<Avx2, float>();
  }
}

/// As `dispatch`, for kernels that multiply matrices.
template <class F>
decltype(auto) dispatch_products(DType dtype, F&& f) {
  if (dtype == DType::bf16 && has_amx()) return std::forward<F>(f).template operator()<Amx, bfloat16>();
  return kernels::dispatch(dtype, std::forward<F>(f));
}

}  // namespace bertha::kernels

/// Instantiates BERTHA_INSTANTIATE(T) for every element type of the instruction set being compiled.
#ifdef __AMX_BF16__
#define BERTHA_INSTANTIATE_ALL BERTHA_INSTANTIATE(bfloat16)
#elif defined(__AVX512BF16__)
#define BERTHA_INSTANTIATE_ALL \
  BERTHA_INSTANTIATE(float)    \
  BERTHA_INSTANTIATE(bfloat16)
#else
#define BERTHA_INSTANTIATE_ALL \
  BERTHA_INSTANTIATE(float)    \
  BERTHA_INSTANTIATE(double)
#endif
