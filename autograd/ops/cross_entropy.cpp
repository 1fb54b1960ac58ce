#include "autograd/ops/cross_entropy.h"

#include "autograd/kernels/cross_entropy.h"
#include "autograd/kernels/elementwise.h"
#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

using kernels::kNo;
using kernels::kYes;

struct LinearCrossEntropyOp {
  static constexpr const char* kName = "linear_cross_entropy";
  struct Saved {
    Tensor x, w, b, logits, log_sum_exp;  // (M, H), (V, H), (V), (M, V), (M)
    std::span<const int32_t> labels;
    double scale;
  };

  static Tensor forward(Saved& saved, const Tensor& x, const Tensor& w, const Tensor& b,
                        std::span<const int32_t> labels, double scale, const CrossEntropyOutputs& outputs) {
    check(x.cols() == w.cols() && b.numel() == w.rows(), kName, ": x ", x.shape(), ", weight ", w.shape(), " and bias ",
          b.shape(), " do not fit");
    const auto rows = static_cast<int64_t>(labels.size());
    check(rows == x.rows(), kName, ": ", rows, " labels for x ", x.shape());
    for (const int32_t label : labels) {
      check(label >= 0 && label < w.rows(), kName, ": label ", label, " (of ", w.rows(), " classes)");
    }
    Tensor logits = Tensor::uninitialized({rows, w.rows()}, x.dtype());
    Tensor log_sum_exp = Tensor::uninitialized({rows}, x.dtype());
    Tensor losses = Tensor::uninitialized({rows}, x.dtype());
    std::vector<uint8_t> correct(labels.size());
    Tensor total = Tensor::uninitialized({1}, x.dtype());
    matmul(kNo, kYes, x, w, 0, logits);  // (M, H) (V, H)' -> (M, V)
    dispatch(x.dtype(), [&]<class T>() {
      kernels::cross_entropy(rows, w.rows(), logits.data<T>(), b.data<T>(), labels.data(), log_sum_exp.data<T>(),
                             losses.data<T>(), correct.data());
      LossSums sums{0, rows, 0};
      for (int64_t row = 0; row < rows; ++row) {
        sums.loss += static_cast<double>(losses.data<T>()[row]);
        sums.correct += correct[static_cast<size_t>(row)];
      }
      *total.data<T>() = static_cast<T>(scale * sums.loss);
      if (outputs.sums) *outputs.sums += sums;
      if (outputs.row_losses) outputs.row_losses->assign(losses.data<T>(), losses.data<T>() + rows);
    });
    saved = {x, w, b, logits, log_sum_exp, labels, scale};
    return total;
  }

  static void backward(const Saved& saved, const Tensor& dloss, const Gradients<3>& d) {
    Tensor dlogits = saved.logits;  // this op alone holds the logits: their memory becomes their gradient's
    dispatch(dloss.dtype(), [&]<class T>() {
      kernels::cross_entropy_backward(dlogits.rows(), dlogits.cols(), dlogits.data<T>(), saved.b.data<T>(),
                                      saved.labels.data(), saved.log_sum_exp.data<T>(),
                                      static_cast<T>(saved.scale) * *dloss.data<T>());
    });
    if (auto dx = d[0].open()) matmul(kNo, kNo, dlogits, saved.w, dx.beta, *dx.out);   // (M, V) (V, H)  -> (M, H)
    if (auto dw = d[1].open()) matmul(kYes, kNo, dlogits, saved.x, dw.beta, *dw.out);  // (M, V)' (M, H) -> (V, H)
    if (auto db = d[2].open()) {
      dispatch(dloss.dtype(), [&]<class T>() {
        kernels::column_sum(dlogits.rows(), dlogits.cols(), dlogits.data<T>(), static_cast<T>(db.beta),
                            db.out->data<T>());
      });
    }
  }
};

}  // namespace

LossSums& LossSums::operator+=(const LossSums& other) {
  loss += other.loss;
  labels += other.labels;
  correct += other.correct;
  return *this;
}

Var linear_cross_entropy(const Var& x, const Var& w, const Var& b, std::span<const int32_t> labels, double scale,
                         const CrossEntropyOutputs& outputs) {
  return apply<LinearCrossEntropyOp>(x, w, b, labels, scale, outputs);
}

}  // namespace bertha
