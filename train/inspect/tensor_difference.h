#pragma once

#include <cstdint>

#include "train/inspect/file_tensors.h"

namespace bertha {

/// How the elements of `b` differ from those of `a`, place by place. Sums are made in double.
struct TensorDifference {
  int64_t elements = 0;
  int64_t changed = 0;     // elements whose bits are not the same once both are float or double
  int64_t not_finite = 0;  // places where one of the two is NaN or infinite; left out of what follows
  double largest = 0;      // of |b - a|
  double squares = 0, squares_a = 0, squares_b = 0, products = 0;  // sums of (b - a)², a², b², a b

  /// |b - a| / |a|, Euclidean norms: 0 where nothing differs, infinite where `a` is zero and `b` is not.
  double relative_norm() const;
  /// a b / (|a| |b|); NaN where one is zero.
  double cosine() const;

  TensorDifference& operator+=(const TensorDifference& more);
};

/// Of two tensors with the same number of elements, which may be of different dtypes. Elements that are no single real
/// numbers (and U64) are only told equal or not: the numbers are then 0. Reads both once, in blocks, on all threads,
/// with the same result on any number of them. Throws what reading does.
TensorDifference difference_of(const FileTensor& a, const FileTensor& b);

}  // namespace bertha
