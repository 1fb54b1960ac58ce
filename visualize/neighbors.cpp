#include "visualize/neighbors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "autograd/core/parallel.h"
#include "autograd/ops/matmul.h"

namespace bertha {
namespace {

constexpr int64_t kBlockRows = 512;  // whose cosines with all others are in memory at a time

// The largest of `cosines` but the one at `self`, into two sorted lists.
void select_nearest(std::span<const float> cosines, int64_t self, std::span<int32_t> indices, std::span<float> kept) {
  std::ranges::fill(kept, -std::numeric_limits<float>::infinity());
  const size_t last = kept.size() - 1;
  for (size_t j = 0; j < cosines.size(); ++j) {
    if (cosines[j] <= kept[last] || static_cast<int64_t>(j) == self) continue;
    size_t at = last;
    for (; at > 0 && kept[at - 1] < cosines[j]; --at) {
      kept[at] = kept[at - 1];
      indices[at] = indices[at - 1];
    }
    kept[at] = cosines[j];
    indices[at] = static_cast<int32_t>(j);
  }
}

}  // namespace

Tensor unit_vectors(const Tensor& vectors) {
  const int64_t hidden = vectors.cols();
  Tensor units = Tensor::uninitialized(vectors.shape(), DType::f32);
  for (int64_t row = 0; row < vectors.rows(); ++row) {
    const auto in = vectors.span<float>().subspan(static_cast<size_t>(row * hidden), static_cast<size_t>(hidden));
    double squares = 0;
    for (const float x : in) squares += double{x} * x;
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    std::ranges::transform(in, units.data<float>() + row * hidden,
                           [&](float x) { return static_cast<float>(x * scale); });
  }
  return units;
}

Neighbors nearest_by_cosine(const Tensor& units, int64_t count) {
  const int64_t points = units.rows();
  check(count >= 1 && count < points, "neighbors: ", count, " of ", points, " vectors (fewer, and one or more)");
  const auto k = static_cast<size_t>(count);
  Neighbors found{.count = count,
                  .indices = std::vector<int32_t>(static_cast<size_t>(points) * k),
                  .cosines = std::vector<float>(static_cast<size_t>(points) * k)};
  for (int64_t begin = 0; begin < points; begin += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, points - begin);
    Tensor products = Tensor::uninitialized({rows, points}, DType::f32);
    matmul(kernels::kNo, kernels::kYes, units.row_range(begin, rows), units, 0, products);
    parallel_for(rows, 8, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; ++row) {
        const size_t at = static_cast<size_t>(begin + row) * k;
        select_nearest({products.data<float>() + row * points, static_cast<size_t>(points)}, begin + row,
                       std::span(found.indices).subspan(at, k), std::span(found.cosines).subspan(at, k));
      }
    });
  }
  std::ranges::for_each(found.cosines, [](float& cosine) { cosine = std::clamp(cosine, -1.0f, 1.0f); });
  return found;
}

}  // namespace bertha
