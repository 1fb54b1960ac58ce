#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensor.h"

namespace bertha {

/// Of each of P vectors the `count` others nearest to it, row by row, the nearest first.
struct Neighbors {
  int64_t count = 0;
  std::vector<int32_t> indices = {};  // (P, count)
  std::vector<float> cosines = {};    // (P, count), in [-1, 1]

  int64_t points() const { return count > 0 ? std::ssize(indices) / count : 0; }
};

/// The vectors scaled to length 1; zero stays zero. (P, H) float.
Tensor unit_vectors(const Tensor& vectors);

/// Exact: by the cosines of all pairs; of equal ones the lower index is nearer. The bits do not depend on the number of
/// threads. `units` (P, H) float as unit_vectors gives them; `count` is at most P - 1.
Neighbors nearest_by_cosine(const Tensor& units, int64_t count);

}  // namespace bertha
