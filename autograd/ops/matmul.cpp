#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

using kernels::Transpose;

kernels::GemmShape gemm_shape(Transpose transpose_a, Transpose transpose_b, const Tensor& a, const Tensor& b) {
  return {transpose_a, transpose_b, transpose_a == kernels::kYes ? a.cols() : a.rows(),
          transpose_b == kernels::kYes ? b.rows() : b.cols(), transpose_a == kernels::kYes ? a.rows() : a.cols()};
}

template <class Isa, class A, class B, class C>
void run(const kernels::GemmShape& shape, const Tensor& a, const Tensor& b, const Tensor& bias, double beta,
         Tensor& c) {
  Tensor scratch = Tensor::uninitialized({kernels::gemm_scratch_bytes<Isa, A, B, C>(shape) / 4 + 1}, DType::f32);
  kernels::gemm<Isa>(shape, a.data<A>(), b.data<B>(), bias.empty() ? nullptr : bias.data<Precise<C>>(), beta,
                     c.data<C>(), reinterpret_cast<std::byte*>(scratch.data<float>()));
}

template <class Isa>
void run_bf16(const kernels::GemmShape& shape, const Tensor& a, const Tensor& b, const Tensor& bias, double beta,
              Tensor& c) {
  if (b.dtype() == DType::bf16) {
    run<Isa, bfloat16, bfloat16, float>(shape, a, b, bias, beta, c);
  } else if (c.dtype() == DType::bf16) {
    run<Isa, bfloat16, float, bfloat16>(shape, a, b, bias, beta, c);
  } else {
    run<Isa, bfloat16, float, float>(shape, a, b, bias, beta, c);
  }
}

void dispatch_gemm(Transpose transpose_a, Transpose transpose_b, const Tensor& a, const Tensor& b, const Tensor& bias,
                   double beta, Tensor& c) {
  const kernels::GemmShape shape = gemm_shape(transpose_a, transpose_b, a, b);
  kernels::dispatch_products(a.dtype(), [&]<class Isa, class T>() {
    if constexpr (std::is_same_v<T, bfloat16>) {
      run_bf16<Isa>(shape, a, b, bias, beta, c);
    } else {
      run<Isa, T, T, T>(shape, a, b, bias, beta, c);
    }
  });
}

}  // namespace

void matmul(Transpose transpose_a, Transpose transpose_b, const Tensor& a, const Tensor& b, double beta, Tensor& c) {
  dispatch_gemm(transpose_a, transpose_b, a, b, {}, beta, c);
}

void matmul_add_bias(Transpose transpose_a, Transpose transpose_b, const Tensor& a, const Tensor& b, const Tensor& bias,
                     Tensor& c) {
  dispatch_gemm(transpose_a, transpose_b, a, b, bias, 0, c);
}

}  // namespace bertha
