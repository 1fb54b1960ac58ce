#pragma once

#include <cstdint>
#include <vector>

#include "autograd/core/random.h"
#include "autograd/tensor.h"

namespace bertha {

/// Vectors around centres that are far from each other: vector i belongs to group i % groups.
inline Tensor planted_groups(int64_t points, int64_t hidden, int64_t groups, double spread) {
  RandomStream random(5, "planted groups");
  std::vector<double> centers(static_cast<size_t>(groups * hidden));
  for (double& x : centers) x = random.normal();
  Tensor vectors = Tensor::uninitialized({points, hidden}, DType::f32);
  for (int64_t i = 0; i < vectors.numel(); ++i) {
    const int64_t group = i / hidden % groups;
    const double center = centers[static_cast<size_t>(group * hidden + i % hidden)];
    vectors.data<float>()[i] = static_cast<float>(center + spread * random.normal());
  }
  return vectors;
}

}  // namespace bertha
