#include "autograd/ops/elementwise.h"

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

}  // namespace

Var add(const Var& a, const Var& b) {
  return apply<AddOp>(a, b);
}

}  // namespace bertha
