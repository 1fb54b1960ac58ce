#include "autograd/ops/dropout.h"

namespace bertha {
namespace {

struct DropoutOp {
  using Saved = Dropout;

  static Tensor forward(Saved& saved, const Dropout& dropout, const Tensor& x) {
    saved = dropout;
    Tensor y = Tensor::uninitialized(x.shape(), x.dtype());
    run(dropout, x, 0, y);
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) run(saved, dy, dx.beta, *dx.out);
  }

 private:
  static void run(const Dropout& dropout, const Tensor& x, double beta, Tensor& y) {
    kernels::dispatch(x.dtype(), [&]<class Isa, class T>() {
      kernels::dropout<Isa>(dropout, x.rows(), x.cols(), x.data<T>(), beta, y.data<T>());
    });
  }
};

}  // namespace

Var dropout(const Dropout& dropout, const Var& x) {
  return dropout.active() ? apply<DropoutOp>(dropout, x) : x;
}

}  // namespace bertha
