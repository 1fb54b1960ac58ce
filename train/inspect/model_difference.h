#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/inspect/tensor_difference.h"

namespace bertha {

/// What differs between two sets of tensors, by name.
struct ModelDifference {
  struct Pair {
    const StoredTensor* a;
    const StoredTensor* b;
    TensorDifference difference = {};
  };
  struct Group {
    std::string name;  // as layer_group
    TensorDifference difference = {};
  };

  std::vector<const StoredTensor*> added, removed;  // only in b, only in a
  std::vector<Pair> reshaped;                       // whose elements are not compared
  std::vector<Pair> changed;                        // in elements or in dtype alone; the furthest moved first
  int64_t equal = 0;                                // tensors
  std::vector<Group> groups;  // of the tensors that were compared, the furthest moved first; equal ones left out

  bool is_empty() const { return added.empty() && removed.empty() && reshaped.empty() && changed.empty(); }
};

/// From `a` to `b`, both sorted by name and to outlive the result. How far something moved is its relative norm.
/// Throws what reading does.
ModelDifference difference_of(std::span<const FileTensor> a, std::span<const FileTensor> b);

}  // namespace bertha
