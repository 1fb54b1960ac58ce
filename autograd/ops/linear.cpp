#include "autograd/ops/linear.h"

#include "autograd/kernels/elementwise.h"
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
    dispatch(y.dtype(), [&]<class T>() { kernels::fill_rows(y.rows(), y.cols(), b.data<T>(), y.data<T>()); });
    matmul(kNo, kYes, x, w, 1, y);
    saved = {x, w};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<3>& d) {
    LinearOp::backward(saved, dy, {d[0], d[1]});
    if (auto db = d[2].open()) {
      dispatch(dy.dtype(), [&]<class T>() {
        kernels::column_sum(dy.rows(), dy.cols(), dy.data<T>(), static_cast<T>(db.beta), db.out->data<T>());
      });
    }
  }
};

}  // namespace

Var linear(const Var& x, const Var& w) {
  return apply<LinearOp>(x, w);
}
Var affine(const Var& x, const Var& w, const Var& b) {
  return apply<AffineOp>(x, w, b);
}

}  // namespace bertha
