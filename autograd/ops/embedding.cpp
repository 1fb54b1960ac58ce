#include "autograd/ops/embedding.h"

#include <vector>

#include "autograd/kernels/embedding.h"

namespace bertha {
namespace {

using Ids = std::span<const int32_t>;

void check_ids(const char* name, const Tensor& table, Ids ids) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= table.rows()) {
      fail<ShapeError>(name, ": id ", ids[i], " at row ", i, " (a table of ", table.rows(), " rows)");
    }
  }
}

void scatter(const Tensor& dy, Ids ids, const GradientTarget& target) {
  kernels::dispatch(dy.dtype(), [&]<class Isa, class T>() {
    const auto run = [&]<class U>() {
      kernels::scatter_add_rows<Isa>(dy.rows(), dy.cols(), dy.data<T>(), ids.data(), target.beta, target.out->rows(),
                                     target.out->data<U>());
    };
    target.out->dtype() == dy.dtype() ? run.template operator()<T>() : run.template operator()<Precise<T>>();
  });
}

struct EmbeddingSumOp {
  static constexpr const char* kName = "embedding_sum";
  struct Saved {
    std::array<Ids, 3> ids;
  };

  static Tensor forward(Saved& saved, const Tensor& word, const Tensor& position, const Tensor& type,
                        const std::array<Ids, 3>& ids, DType dtype) {
    const std::array<const Tensor*, 3> tables = {&word, &position, &type};
    Tensor y = Tensor::uninitialized({static_cast<int64_t>(ids[0].size()), word.cols()}, dtype);
    for (size_t i = 0; i < tables.size(); ++i) {
      check(tables[i]->cols() == word.cols() && ids[i].size() == ids[0].size(), kName, ": table ", tables[i]->shape(),
            " with ", ids[i].size(), " ids beside table ", word.shape(), " with ", ids[0].size());
      check_ids(kName, *tables[i], ids[i]);
    }
    kernels::dispatch(dtype, [&]<class Isa, class T>() {
      using P = Precise<T>;
      kernels::embedding_sum<Isa>(y.rows(), y.cols(), {word.data<P>(), position.data<P>(), type.data<P>()},
                                  {ids[0].data(), ids[1].data(), ids[2].data()}, y.data<T>());
    });
    saved = {ids};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<3>& d) {
    for (size_t i = 0; i < d.size(); ++i) {
      if (auto dtable = d[i].open()) scatter(dy, saved.ids[i], dtable);
    }
  }
};

struct GatherRowsOp {
  static constexpr const char* kName = "gather_rows";
  using Saved = std::vector<int32_t>;  // rows

  static Tensor forward(Saved& saved, const Tensor& x, Ids rows) {
    check_ids(kName, x, rows);
    Tensor y = Tensor::uninitialized({static_cast<int64_t>(rows.size()), x.cols()}, x.dtype());
    kernels::dispatch(x.dtype(), [&]<class Isa, class T>() {
      kernels::gather_rows<Isa>(y.rows(), y.cols(), x.data<T>(), rows.data(), y.data<T>());
    });
    saved.assign(rows.begin(), rows.end());
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) scatter(dy, saved, dx);
  }
};

}  // namespace

Var embedding_sum(DType dtype, const Lookup& word, const Lookup& position, const Lookup& token_type) {
  return apply<EmbeddingSumOp>(word.table, position.table, token_type.table,
                               std::array{word.ids, position.ids, token_type.ids}, dtype);
}

Var gather_rows(const Var& x, std::span<const int32_t> rows) {
  return apply<GatherRowsOp>(x, rows);
}

}  // namespace bertha
