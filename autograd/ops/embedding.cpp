#include "autograd/ops/embedding.h"

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

void gather(const Tensor& table, Ids ids, double beta, Tensor& y) {
  dispatch(y.dtype(), [&]<class T>() {
    kernels::gather_rows(y.rows(), y.cols(), table.data<T>(), ids.data(), static_cast<T>(beta), y.data<T>());
  });
}

void scatter(const Tensor& dy, Ids ids, const GradientTarget& target) {
  dispatch(dy.dtype(), [&]<class T>() {
    kernels::scatter_add_rows(dy.rows(), dy.cols(), dy.data<T>(), ids.data(), static_cast<T>(target.beta),
                              target.out->rows(), target.out->data<T>());
  });
}

struct EmbeddingSumOp {
  static constexpr const char* kName = "embedding_sum";
  struct Saved {
    std::array<Ids, 3> ids;
  };

  static Tensor forward(Saved& saved, const Tensor& word, const Tensor& position, const Tensor& type,
                        const std::array<Ids, 3>& ids) {
    const std::array<const Tensor*, 3> tables = {&word, &position, &type};
    Tensor y = Tensor::uninitialized({static_cast<int64_t>(ids[0].size()), word.cols()}, word.dtype());
    for (size_t i = 0; i < tables.size(); ++i) {
      check(tables[i]->cols() == word.cols() && ids[i].size() == ids[0].size(), kName, ": table ", tables[i]->shape(),
            " with ", ids[i].size(), " ids beside table ", word.shape(), " with ", ids[0].size());
      check_ids(kName, *tables[i], ids[i]);
      gather(*tables[i], ids[i], i == 0 ? 0 : 1, y);
    }
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
  struct Saved {
    Ids rows;
  };

  static Tensor forward(Saved& saved, const Tensor& x, Ids rows) {
    check_ids(kName, x, rows);
    Tensor y = Tensor::uninitialized({static_cast<int64_t>(rows.size()), x.cols()}, x.dtype());
    gather(x, rows, 0, y);
    saved = {rows};
    return y;
  }

  static void backward(const Saved& saved, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) scatter(dy, saved.rows, dx);
  }
};

}  // namespace

Var embedding_sum(const Lookup& word, const Lookup& position, const Lookup& token_type) {
  return apply<EmbeddingSumOp>(word.table, position.table, token_type.table,
                               std::array{word.ids, position.ids, token_type.ids});
}

Var gather_rows(const Var& x, std::span<const int32_t> rows) {
  return apply<GatherRowsOp>(x, rows);
}

}  // namespace bertha
