#include "autograd/ops/column_sum.h"

#include "autograd/kernels/elementwise.h"

namespace bertha {

void add_column_sum(const Tensor& dy, const GradientEntry& bias) {
  if (auto db = bias.open()) {
    kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
      kernels::column_sum<Isa>(dy.rows(), dy.cols(), dy.data<T>(), db.beta, db.out->data<Precise<T>>());
    });
  }
}

}  // namespace bertha
