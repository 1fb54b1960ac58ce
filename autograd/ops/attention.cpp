#include "autograd/ops/attention.h"

#include <algorithm>
#include <functional>
#include <vector>

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
  return {.sequences = static_cast<int64_t>(cu_seqlens.size()) - 1,
          .heads = heads,
          .head_size = qkv.cols() / (3 * heads),
          .cu_seqlens = cu_seqlens.data(),
          .longest = longest,
          .cu_queries = cu_seqlens.data()};
}

// Places in `queries` where each sequence's begin.
std::vector<int32_t> cu_queries(std::span<const int32_t> queries, std::span<const int32_t> cu_seqlens) {
  check(std::ranges::adjacent_find(queries, std::greater_equal{}) == queries.end() && queries.front() >= 0 &&
            queries.back() < cu_seqlens.back(),
        "attention: queries do not rise within [0, ", cu_seqlens.back(), ")");
  std::vector<int32_t> places;
  for (const int32_t begin : cu_seqlens) {
    places.push_back(static_cast<int32_t>(std::ranges::lower_bound(queries, begin) - queries.begin()));
  }
  return places;
}

template <class Isa>
Tensor scratch(const AttentionShape& shape, DType dtype) {
  return Tensor::uninitialized({num_threads(), kernels::attention_scratch<Isa>(shape)}, precise(dtype));
}

struct AttentionOp {
  struct Saved {
    Dropout dropout;
    AttentionShape shape;
    std::vector<int32_t> queries, cu_queries;
    Tensor qkv, y, log_sum_exp;  // (N, 3H), (M, H), (M, A)
  };

  static Tensor forward(Saved& saved, const Dropout& dropout, int64_t heads, std::span<const int32_t> cu_seqlens,
                        std::span<const int32_t> queries, const Tensor& qkv) {
    AttentionShape shape = attention_shape(heads, cu_seqlens, qkv);
    if (!queries.empty()) {
      saved.cu_queries = cu_queries(queries, cu_seqlens);
      saved.queries.assign(queries.begin(), queries.end());
      shape.queries = saved.queries.data();
      shape.cu_queries = saved.cu_queries.data();
    }
    const int64_t rows = shape.cu_queries[shape.sequences];
    Tensor y = Tensor::uninitialized({rows, shape.hidden()}, qkv.dtype());
    Tensor log_sum_exp = Tensor::uninitialized({rows, heads}, precise(qkv.dtype()));
    kernels::dispatch_products(qkv.dtype(), [&]<class Isa, class T>() {
      using P = Precise<T>;
      Tensor memory = scratch<Isa>(shape, qkv.dtype());
      kernels::attention<Isa>(shape, dropout, qkv.data<T>(), y.data<T>(), log_sum_exp.data<P>(), memory.data<P>());
    });
    saved.dropout = dropout;
    saved.shape = shape;
    saved.qkv = qkv;
    saved.y = y;
    saved.log_sum_exp = log_sum_exp;
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    auto dqkv = d[0].open();
    if (!dqkv) return;
    kernels::dispatch_products(dy.dtype(), [&]<class Isa, class T>() {
      using P = Precise<T>;
      Tensor memory = scratch<Isa>(saved.shape, dy.dtype());
      kernels::attention_backward<Isa>(saved.shape, saved.dropout, saved.qkv.data<T>(), saved.y.data<T>(), dy.data<T>(),
                                       saved.log_sum_exp.data<P>(), dqkv.beta, dqkv.out->data<T>(), memory.data<P>());
    });
  }
};

}  // namespace

Var attention(const Dropout& dropout, int64_t heads, std::span<const int32_t> cu_seqlens,
              std::span<const int32_t> queries, const Var& qkv) {
  return apply<AttentionOp>(dropout, heads, cu_seqlens, queries, qkv);
}

Tensor attention_probabilities(int64_t heads, std::span<const int32_t> cu_seqlens, const Tensor& qkv) {
  const AttentionShape shape = attention_shape(heads, cu_seqlens, qkv);
  int64_t elements = 0;
  for (size_t i = 1; i < cu_seqlens.size(); ++i) {
    const int64_t n = cu_seqlens[i] - cu_seqlens[i - 1];
    elements += heads * n * n;
  }
  Tensor probabilities = Tensor::uninitialized({elements}, precise(qkv.dtype()));
  kernels::dispatch(qkv.dtype(), [&]<class Isa, class T>() {
    using P = Precise<T>;
    Tensor memory = scratch<Isa>(shape, qkv.dtype());
    kernels::attention_probabilities<Isa>(shape, qkv.data<T>(), probabilities.data<P>(), memory.data<P>());
  });
  return probabilities;
}

}  // namespace bertha
