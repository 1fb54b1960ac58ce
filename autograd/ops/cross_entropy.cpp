#include "autograd/ops/cross_entropy.h"

#include "autograd/kernels/cross_entropy.h"
#include "autograd/kernels/elementwise.h"
#include "autograd/ops/column_sum.h"
#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

using kernels::kNo;
using kernels::kYes;

enum class Wanted { kLoss, kLossAndGradient };

struct LinearCrossEntropyOp {
  static constexpr const char* kName = "linear_cross_entropy";
  struct Saved {
    Tensor x, w, dlogits;  // (M, H), (V, H), (M, V)
  };

  static Tensor forward(Saved& saved, const Tensor& x, const Tensor& w, const Tensor& b,
                        std::span<const int32_t> labels, double scale, const CrossEntropyOutputs& outputs,
                        Wanted wanted) {
    check(x.cols() == w.cols() && b.numel() == w.rows(), kName, ": x ", x.shape(), ", weight ", w.shape(), " and bias ",
          b.shape(), " do not fit");
    const auto rows = static_cast<int64_t>(labels.size());
    check(rows == x.rows(), kName, ": ", rows, " labels for x ", x.shape());
    for (const int32_t label : labels) {
      check(label >= 0 && label < w.rows(), kName, ": label ", label, " (of ", w.rows(), " classes)");
    }
    Tensor logits = Tensor::uninitialized({rows, w.rows()}, precise(x.dtype()));
    matmul_add_bias(kNo, kYes, x, w, b, logits);  // (M, H) (V, H)' -> (M, V)
    if (wanted == Wanted::kLossAndGradient) {
      // The gradient takes the logits' place where it has their type: nobody reads them again.
      Tensor dlogits = x.dtype() == logits.dtype() ? logits : Tensor::uninitialized(logits.shape(), x.dtype());
      saved = {x, w, dlogits};
    }
    std::vector<double> losses(labels.size());
    std::vector<uint8_t> correct(labels.size());
    kernels::dispatch(x.dtype(), [&]<class Isa, class T>() {
      T* dlogits = saved.dlogits.empty() ? nullptr : saved.dlogits.data<T>();
      kernels::cross_entropy<Isa>(rows, w.rows(), logits.data<Precise<T>>(), labels.data(), scale, losses.data(),
                                  correct.data(), dlogits);
    });
    return scaled_sum(losses, correct, scale, outputs, logits.dtype());
  }

  static void backward(const Saved& saved, const Tensor& dloss, const Gradients<3>& d) {
    Tensor dlogits = saved.dlogits;
    kernels::dispatch(dlogits.dtype(), [&]<class Isa, class T>() {
      const double factor = *dloss.data<Precise<T>>();
      if (factor != 1) kernels::accumulate<Isa>(dlogits.numel(), factor, dlogits.data<T>(), 0, dlogits.data<T>());
    });
    if (auto dx = d[0].open()) matmul(kNo, kNo, dlogits, saved.w, dx.beta, *dx.out);   // (M, V) (V, H)  -> (M, H)
    if (auto dw = d[1].open()) matmul(kYes, kNo, dlogits, saved.x, dw.beta, *dw.out);  // (M, V)' (M, H) -> (V, H)
    add_column_sum(dlogits, d[2]);
  }

 private:
  static Tensor scaled_sum(const std::vector<double>& losses, const std::vector<uint8_t>& correct, double scale,
                           const CrossEntropyOutputs& outputs, DType dtype) {
    LossSums sums{0, std::ssize(losses), 0};
    for (const double loss : losses) sums.loss += loss;
    for (const uint8_t hit : correct) sums.correct += hit;
    if (outputs.sums) *outputs.sums += sums;
    if (outputs.row_losses) *outputs.row_losses = losses;
    Tensor total = Tensor::uninitialized({1}, dtype);
    dispatch(dtype, [&]<class T>() { *total.data<T>() = static_cast<T>(scale * sums.loss); });
    return total;
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
  const bool recorded = x.slot() || w.slot() || b.slot();
  return apply<LinearCrossEntropyOp>(x, w, b, labels, scale, outputs,
                                     recorded ? Wanted::kLossAndGradient : Wanted::kLoss);
}

}  // namespace bertha
