#include "autograd/ops/layer_norm.h"

#include "autograd/core/parallel.h"
#include "autograd/kernels/layer_norm.h"

namespace bertha {
namespace {

template <class T>
kernels::Target<T> pointer(const GradientTarget& target) {
  if (!target) return {};
  return {target.out->data<T>(), target.beta};
}

struct SavedRows {
  Tensor normalized, rstd, gain;  // (N, H), (N), (H)

  SavedRows() = default;
  SavedRows(const Tensor& x, const Tensor& weights)
      : normalized(Tensor::uninitialized(x.shape(), x.dtype())),
        rstd(Tensor::uninitialized({x.rows()}, precise(x.dtype()))),
        gain(weights) {}

  Tensor partials() const {
    const int64_t blocks = (normalized.rows() + kernels::kLayerNormBlock - 1) / kernels::kLayerNormBlock;
    return Tensor::uninitialized({blocks, 3, normalized.cols()}, precise(normalized.dtype()));
  }
};

struct LayerNormOp {
  static constexpr const char* kName = "layer_norm";
  using Saved = SavedRows;

  static Tensor forward(Saved& saved, const Tensor& x, const Tensor& gain, const Tensor& bias, double epsilon) {
    check(gain.numel() == x.cols() && bias.numel() == x.cols(), kName, ": x ", x.shape(), ", gain ", gain.shape(),
          " and bias ", bias.shape(), " do not fit");
    saved = SavedRows(x, gain);
    Tensor y = Tensor::uninitialized(x.shape(), x.dtype());
    kernels::dispatch(x.dtype(), [&]<class Isa, class T>() {
      using P = Precise<T>;
      kernels::layer_norm<Isa>(x.rows(), x.cols(), x.data<T>(), gain.data<P>(), bias.data<P>(), epsilon,
                               saved.normalized.data<T>(), saved.rstd.data<P>(), y.data<T>());
    });
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<3>& d) {
    Tensor partials = saved.partials();
    kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
      using P = Precise<T>;
      const auto dx = pointer<T>(d[0].open());
      const auto dgain = pointer<P>(d[1].open());
      const auto dbias = pointer<P>(d[2].open());
      kernels::dropout_add_layer_norm_backward<Isa>(
          kernels::Dropout{}, dy.rows(), dy.cols(), dy.data<T>(), saved.normalized.data<T>(), saved.rstd.data<P>(),
          saved.gain.data<P>(), dx, kernels::Target<T>{}, kernels::Target<P>{}, dgain, dbias, partials.data<P>());
    });
  }
};

struct DropoutAddLayerNormOp {
  static constexpr const char* kName = "dropout_add_layer_norm";
  struct Saved {
    Dropout dropout;
    SavedRows rows;
  };

  static Tensor forward(Saved& saved, const Dropout& dropout, const Tensor& x, const Tensor& x_bias,
                        const Tensor& residual, const Tensor& gain, const Tensor& bias, double epsilon) {
    check(x.shape() == residual.shape() && x_bias.numel() == x.cols() && gain.numel() == x.cols() &&
              bias.numel() == x.cols(),
          kName, ": x ", x.shape(), ", its bias ", x_bias.shape(), ", residual ", residual.shape(), ", gain ",
          gain.shape(), " and bias ", bias.shape(), " do not fit");
    saved = {dropout, SavedRows(x, gain)};
    Tensor y = Tensor::uninitialized(x.shape(), x.dtype());
    Tensor row_scratch = Tensor::uninitialized({num_threads(), x.cols()}, precise(x.dtype()));
    kernels::dispatch(x.dtype(), [&]<class Isa, class T>() {
      using P = Precise<T>;
      kernels::dropout_add_layer_norm<Isa>(dropout, x.rows(), x.cols(), x.data<T>(), x_bias.data<P>(),
                                           residual.data<T>(), gain.data<P>(), bias.data<P>(), epsilon,
                                           saved.rows.normalized.data<T>(), saved.rows.rstd.data<P>(), y.data<T>(),
                                           row_scratch.data<P>());
    });
    return y;
  }

  // The kernel writes each row of dresidual before that row of dx, so the residual's slot is opened first.
  static void backward(const Saved& saved, const Tensor& dy, const Gradients<5>& d) {
    Tensor partials = saved.rows.partials();
    kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
      using P = Precise<T>;
      const auto dresidual = pointer<T>(d[2].open());
      const auto dx = pointer<T>(d[0].open());
      const auto dx_bias = pointer<P>(d[1].open());
      const auto dgain = pointer<P>(d[3].open());
      const auto dbias = pointer<P>(d[4].open());
      kernels::dropout_add_layer_norm_backward<Isa>(
          saved.dropout, dy.rows(), dy.cols(), dy.data<T>(), saved.rows.normalized.data<T>(), saved.rows.rstd.data<P>(),
          saved.rows.gain.data<P>(), dresidual, dx, dx_bias, dgain, dbias, partials.data<P>());
    });
  }
};

}  // namespace

Var layer_norm(const Var& x, const LayerNormWeights& norm) {
  return apply<LayerNormOp>(x, norm.gain, norm.bias, norm.epsilon);
}

Var dropout_add_layer_norm(const Dropout& dropout, const Var& x, const Var& x_bias, const Var& residual,
                           const LayerNormWeights& norm) {
  return apply<DropoutAddLayerNormOp>(dropout, x, x_bias, residual, norm.gain, norm.bias, norm.epsilon);
}

}  // namespace bertha
