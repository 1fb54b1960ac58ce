#pragma once

#include <cmath>
#include <functional>

#include "autograd/tape.h"

namespace bertha {

/// Small, slow ops in double from which tests compose what a fused op does in one pass.
namespace plain {

struct UnaryOp {
  struct Saved {
    Tensor x;
    std::function<double(double)> derivative;
  };
  static Tensor forward(Saved& saved, const Tensor& x, const std::function<double(double)>& f,
                        const std::function<double(double)>& derivative) {
    saved = {x, derivative};
    Tensor y = Tensor::uninitialized(x.shape(), DType::f64);
    for (int64_t i = 0; i < x.numel(); ++i) y.data<double>()[i] = f(x.data<double>()[i]);
    return y;
  }
  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) {
      for (int64_t i = 0; i < dy.numel(); ++i) {
        double& out = dx.out->data<double>()[i];
        out = dy.data<double>()[i] * saved.derivative(saved.x.data<double>()[i]) + (dx.beta == 0 ? 0 : out);
      }
    }
  }
};
inline Var unary(const Var& x, std::function<double(double)> f, std::function<double(double)> derivative) {
  return apply<UnaryOp>(x, f, derivative);
}

/// y = x + bias, bias repeated over rows.
struct AddBiasOp {
  struct Saved {};
  static Tensor forward(Saved&, const Tensor& x, const Tensor& bias) {
    Tensor y = Tensor::uninitialized(x.shape(), DType::f64);
    for (int64_t i = 0; i < x.numel(); ++i)
      y.data<double>()[i] = x.data<double>()[i] + bias.data<double>()[i % x.cols()];
    return y;
  }
  static void backward(const Saved&, const Tensor& dy, const Gradients<2>& d) {
    if (auto dx = d[0].open()) {
      for (int64_t i = 0; i < dy.numel(); ++i) {
        double& out = dx.out->data<double>()[i];
        out = dy.data<double>()[i] + (dx.beta == 0 ? 0 : out);
      }
    }
    if (auto db = d[1].open()) {
      if (db.beta == 0) db.out->fill_zero();
      for (int64_t i = 0; i < dy.numel(); ++i) db.out->data<double>()[i % dy.cols()] += dy.data<double>()[i];
    }
  }
};
inline Var add_bias(const Var& x, const Var& bias) {
  return apply<AddBiasOp>(x, bias);
}

/// y = x * factors, element by element, with constant factors.
struct MultiplyOp {
  struct Saved {
    Tensor factors;
  };
  static Tensor forward(Saved& saved, const Tensor& x, const Tensor& factors) {
    saved = {factors};
    Tensor y = Tensor::uninitialized(x.shape(), DType::f64);
    for (int64_t i = 0; i < x.numel(); ++i) y.data<double>()[i] = x.data<double>()[i] * factors.data<double>()[i];
    return y;
  }
  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) {
      for (int64_t i = 0; i < dy.numel(); ++i) {
        double& out = dx.out->data<double>()[i];
        out = dy.data<double>()[i] * saved.factors.data<double>()[i] + (dx.beta == 0 ? 0 : out);
      }
    }
  }
};
inline Var multiply(const Var& x, const Tensor& factors) {
  return apply<MultiplyOp>(x, factors);
}

}  // namespace plain
}  // namespace bertha
