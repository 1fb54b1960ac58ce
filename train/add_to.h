#pragma once

#include <cstddef>
#include <span>

namespace bertha {

/// sum += addend, element by element, on the calling thread.
inline void add_to(std::span<float> sum, std::span<const float> addend) {
  float* __restrict__ left = sum.data();
  const float* __restrict__ right = addend.data();
  for (size_t i = 0; i < sum.size(); ++i) left[i] += right[i];
}

}  // namespace bertha
