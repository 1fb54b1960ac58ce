#include "autograd/ops/elementwise.h"

#include <algorithm>

#include "autograd/kernels/elementwise.h"

namespace bertha {
namespace {

struct AddOp {
  static constexpr const char* kName = "add";
  struct Saved {};

  static Tensor forward(Saved&, const Tensor& a, const Tensor& b) {
    check(a.shape() == b.shape(), kName, ": ", a.shape(), " and ", b.shape(), " must be equal");
    Tensor y = Tensor::uninitialized(a.shape(), a.dtype());
    kernels::dispatch(
        a.dtype(), [&]<class Isa, class T>() { kernels::add<Isa>(a.numel(), a.data<T>(), b.data<T>(), y.data<T>()); });
    return y;
  }

  static void backward(const Saved&, const Tensor& dy, const Gradients<2>& d) {
    for (const GradientEntry& entry : d) {
      if (auto dx = entry.open()) {
        kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
          kernels::accumulate<Isa>(dy.numel(), 1, dy.data<T>(), dx.beta, dx.out->data<T>());
        });
      }
    }
  }
};

struct WidenOp {  // of bf16
  struct Saved {};

  static Tensor forward(Saved&, const Tensor& x) {
    Tensor y = Tensor::uninitialized(x.shape(), DType::f32);
    std::ranges::transform(x.span<bfloat16>(), y.data<float>(), [](bfloat16 e) { return static_cast<float>(e); });
    return y;
  }

  static void backward(const Saved&, const Tensor& dy, const Gradients<1>& d) {
    const auto dx = d[0].open();
    if (!dx) return;
    const float* from = dy.data<float>();
    bfloat16* to = dx.out->data<bfloat16>();
    for (int64_t i = 0; i < dy.numel(); ++i) {
      to[i] = bfloat16(dx.beta == 0 ? from[i] : from[i] + static_cast<float>(to[i]));
    }
  }
};

}  // namespace

Var widen(const Var& x) {
  return x.value().dtype() != DType::bf16 ? x : apply<WidenOp>(x);
}

Var add(const Var& a, const Var& b) {
  return apply<AddOp>(a, b);
}

}  // namespace bertha
