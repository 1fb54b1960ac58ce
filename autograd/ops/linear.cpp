#include "autograd/ops/linear.h"

#include "autograd/kernels/elementwise.h"
#include "autograd/ops/column_sum.h"
#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

using kernels::kNo;
using kernels::kYes;

struct LinearOp {  // y = x W'
  static constexpr const char* kName = "linear";
  struct Saved {
    Tensor x, w;  // (N, I), (O, I)
  };

  static Tensor forward(Saved& saved, const Tensor& x, const Tensor& w) {
    check(x.cols() == w.cols(), kName, ": x ", x.shape(), " and weight ", w.shape(),
          " must share their last dimension");
    Tensor y = Tensor::uninitialized({x.rows(), w.rows()}, x.dtype());
    matmul(kNo, kYes, x, w, 0, y);  // (N, I) (O, I)' -> (N, O)
    saved = {x, w};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<2>& d) {
    if (auto dx = d[0].open()) matmul(kNo, kNo, dy, saved.w, dx.beta, *dx.out);   // (N, O) (O, I)  -> (N, I)
    if (auto dw = d[1].open()) matmul(kYes, kNo, dy, saved.x, dw.beta, *dw.out);  // (N, O)' (N, I) -> (O, I)
  }
};

struct AffineOp {  // y = x W' + b
  static constexpr const char* kName = "affine";
  using Saved = LinearOp::Saved;

  static Tensor forward(Saved& saved, const Tensor& x, const Tensor& w, const Tensor& b) {
    check(x.cols() == w.cols() && b.numel() == w.rows(), kName, ": x ", x.shape(), ", weight ", w.shape(), " and bias ",
          b.shape(), " do not fit");
    Tensor y = Tensor::uninitialized({x.rows(), w.rows()}, x.dtype());
    matmul_add_bias(kNo, kYes, x, w, b, y);
    saved = {x, w};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<3>& d) {
    LinearOp::backward(saved, dy, {d[0], d[1]});
    add_column_sum(dy, d[2]);
  }
};

struct BiasGeluLinearOp {  // y = gelu(u + b) W'
  static constexpr const char* kName = "bias_gelu_linear";
  struct Saved {
    Gelu kind;
    Tensor u, b, w;  // (N, I), (I), (O, I)
  };

  static Tensor forward(Saved& saved, Gelu kind, const Tensor& u, const Tensor& b, const Tensor& w) {
    check(u.cols() == w.cols() && b.numel() == w.cols(), kName, ": u ", u.shape(), ", bias ", b.shape(), " and weight ",
          w.shape(), " do not fit");
    Tensor h = Tensor::uninitialized(u.shape(), u.dtype());
    kernels::dispatch(u.dtype(), [&]<class Isa, class T>() {
      kernels::bias_gelu<Isa>(kind, u.rows(), u.cols(), u.data<T>(), b.data<Precise<T>>(), h.data<T>());
    });
    Tensor y = Tensor::uninitialized({u.rows(), w.rows()}, u.dtype());
    matmul(kNo, kYes, h, w, 0, y);  // (N, I) (O, I)' -> (N, O)
    saved = {kind, u, b, w};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<3>& d) {
    const auto [kind, u, b, w] = saved;
    Tensor h = Tensor::uninitialized(u.shape(), u.dtype());
    const auto du_target = d[0].open();
    const bool in_place = du_target && du_target.beta == 0;
    Tensor du = in_place ? *du_target.out : Tensor::uninitialized(u.shape(), u.dtype());
    matmul(kNo, kNo, dy, w, 0, du);  // (N, O) (O, I) -> (N, I), so far the gradient of h
    kernels::dispatch(u.dtype(), [&]<class Isa, class T>() {
      kernels::bias_gelu_backward<Isa>(kind, u.rows(), u.cols(), u.data<T>(), b.data<Precise<T>>(), du.data<T>(),
                                       du.data<T>(), h.data<T>());
      if (du_target && !in_place) {
        kernels::accumulate<Isa>(du.numel(), 1, du.data<T>(), du_target.beta, du_target.out->data<T>());
      }
    });
    add_column_sum(du, d[1]);
    if (auto dw = d[2].open()) matmul(kYes, kNo, dy, h, dw.beta, *dw.out);  // (N, O)' (N, I) -> (O, I)
  }
};

}  // namespace

Var linear(const Var& x, const Var& w) {
  return apply<LinearOp>(x, w);
}
Var affine(const Var& x, const Var& w, const Var& b) {
  return apply<AffineOp>(x, w, b);
}
Var bias_gelu_linear(Gelu kind, const Var& u, const Var& b, const Var& w) {
  return apply<BiasGeluLinearOp>(kind, u, b, w);
}

}  // namespace bertha
