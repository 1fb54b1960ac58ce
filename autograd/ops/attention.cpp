#include "autograd/ops/attention.h"

#include <algorithm>

#include "autograd/core/parallel.h"
#include "autograd/kernels/attention.h"

namespace bertha {
namespace {

using kernels::AttentionShape;

AttentionShape attention_shape(int64_t heads, std::span<const int32_t> cu_seqlens, const Tensor& qkv) {
  const char* name = "attention";
  check(heads > 0 && qkv.cols() % (3 * heads) == 0, name, ": qkv ", qkv.shape(), " does not divide into q, k and v of ",
        heads, " heads");
  check(!cu_seqlens.empty() && cu_seqlens.front() == 0 && cu_seqlens.back() == qkv.rows(), name,
        ": cu_seqlens ends at ", cu_seqlens.empty() ? -1 : cu_seqlens.back(), " (starts at 0 and ends at ", qkv.rows(),
        ")");
  int32_t longest = 0;
  for (size_t i = 1; i < cu_seqlens.size(); ++i) {
    check(cu_seqlens[i] > cu_seqlens[i - 1], name, ": cu_seqlens does not rise at ", i);
    longest = std::max(longest, cu_seqlens[i] - cu_seqlens[i - 1]);
  }
  return {static_cast<int64_t>(cu_seqlens.size()) - 1, heads, qkv.cols() / (3 * heads), cu_seqlens.data(), longest};
}

Tensor scratch(const AttentionShape& shape, DType dtype) {
  return Tensor::uninitialized({num_threads(), kernels::attention_scratch(shape)}, dtype);
}

struct AttentionOp {
  struct Saved {
    Dropout dropout;
    AttentionShape shape;
    Tensor qkv, y, log_sum_exp;  // (N, 3H), (N, H), (N, A)
  };

  static Tensor forward(Saved& saved, const Dropout& dropout, int64_t heads, std::span<const int32_t> cu_seqlens,
                        const Tensor& qkv) {
    const AttentionShape shape = attention_shape(heads, cu_seqlens, qkv);
    Tensor y = Tensor::uninitialized({qkv.rows(), shape.hidden()}, qkv.dtype());
    Tensor log_sum_exp = Tensor::uninitialized({qkv.rows(), heads}, qkv.dtype());
    Tensor memory = scratch(shape, qkv.dtype());
    dispatch(qkv.dtype(), [&]<class T>() {
      kernels::attention(shape, dropout, qkv.data<T>(), y.data<T>(), log_sum_exp.data<T>(), memory.data<T>());
    });
    saved = {dropout, shape, qkv, y, log_sum_exp};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    auto dqkv = d[0].open();
    if (!dqkv) return;
    Tensor memory = scratch(saved.shape, dy.dtype());
    dispatch(dy.dtype(), [&]<class T>() {
      kernels::attention_backward(saved.shape, saved.dropout, saved.qkv.data<T>(), saved.y.data<T>(), dy.data<T>(),
                                  saved.log_sum_exp.data<T>(), static_cast<T>(dqkv.beta), dqkv.out->data<T>(),
                                  memory.data<T>());
    });
  }
};

}  // namespace

Var attention(const Dropout& dropout, int64_t heads, std::span<const int32_t> cu_seqlens, const Var& qkv) {
  return apply<AttentionOp>(dropout, heads, cu_seqlens, qkv);
}

Tensor attention_probabilities(int64_t heads, std::span<const int32_t> cu_seqlens, const Tensor& qkv) {
  const AttentionShape shape = attention_shape(heads, cu_seqlens, qkv);
  int64_t elements = 0;
  for (size_t i = 1; i < cu_seqlens.size(); ++i) {
    const int64_t n = cu_seqlens[i] - cu_seqlens[i - 1];
    elements += heads * n * n;
  }
  Tensor probabilities = Tensor::uninitialized({elements}, qkv.dtype());
  Tensor memory = scratch(shape, qkv.dtype());
  dispatch(qkv.dtype(), [&]<class T>() {
    kernels::attention_probabilities(shape, qkv.data<T>(), probabilities.data<T>(), memory.data<T>());
  });
  return probabilities;
}

}  // namespace bertha
