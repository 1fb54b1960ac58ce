#include "autograd/ops/activation.h"

#include "autograd/kernels/elementwise.h"
#include "autograd/ops/column_sum.h"

namespace bertha {
namespace {

struct BiasGeluOp {
  static constexpr const char* kName = "bias_gelu";
  struct Saved {
    Gelu kind;
    Tensor x, b;  // (N, F), (F)
  };

  static Tensor forward(Saved& saved, Gelu kind, const Tensor& x, const Tensor& b) {
    check(x.cols() == b.numel(), kName, ": x ", x.shape(), " and bias ", b.shape(), " do not fit");
    Tensor y = Tensor::uninitialized(x.shape(), x.dtype());
    kernels::dispatch(x.dtype(), [&]<class Isa, class T>() {
      kernels::bias_gelu<Isa>(kind, x.rows(), x.cols(), x.data<T>(), b.data<Precise<T>>(), y.data<T>());
    });
    saved = {kind, x, b};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<2>& d) {
    const auto dx = d[0].open();
    Tensor du = dx && dx.beta == 0 ? *dx.out : Tensor::uninitialized(dy.shape(), dy.dtype());
    kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
      kernels::bias_gelu_backward<Isa>(saved.kind, dy.rows(), dy.cols(), saved.x.data<T>(), saved.b.data<Precise<T>>(),
                                       dy.data<T>(), du.data<T>(), static_cast<T*>(nullptr));
      if (dx && dx.beta != 0) kernels::accumulate<Isa>(du.numel(), 1, du.data<T>(), dx.beta, dx.out->data<T>());
    });
    add_column_sum(du, d[1]);
  }
};

struct TanhOp {
  struct Saved {
    Tensor y;
  };

  static Tensor forward(Saved& saved, const Tensor& x) {
    Tensor y = Tensor::uninitialized(x.shape(), x.dtype());
    kernels::dispatch(x.dtype(),
                      [&]<class Isa, class T>() { kernels::tanh<Isa>(x.numel(), x.data<T>(), y.data<T>()); });
    saved = {y};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) {
      kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
        kernels::tanh_backward<Isa>(dy.numel(), saved.y.data<T>(), dy.data<T>(), dx.beta, dx.out->data<T>());
      });
    }
  }
};

struct ReluOp {
  struct Saved {
    Tensor y;
  };

  static Tensor forward(Saved& saved, const Tensor& x) {
    Tensor y = Tensor::uninitialized(x.shape(), x.dtype());
    kernels::dispatch(x.dtype(),
                      [&]<class Isa, class T>() { kernels::relu<Isa>(x.numel(), x.data<T>(), y.data<T>()); });
    saved = {y};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) {
      kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
        kernels::relu_backward<Isa>(dy.numel(), saved.y.data<T>(), dy.data<T>(), dx.beta, dx.out->data<T>());
      });
    }
  }
};

}  // namespace

Var bias_gelu(Gelu kind, const Var& x, const Var& b) {
  return apply<BiasGeluOp>(kind, x, b);
}
Var tanh(const Var& x) {
  return apply<TanhOp>(x);
}
Var relu(const Var& x) {
  return apply<ReluOp>(x);
}

}  // namespace bertha
