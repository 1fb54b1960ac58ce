#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "autograd/core/error.h"

namespace bertha {

/// Row-major dimensions of a tensor: one to four, none negative.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : rank_(static_cast<int>(dims.size())) {
    check(dims.size() <= kMaxRank, "shape: rank ", dims.size(), " (at most ", kMaxRank, ")");
    int axis = 0;
    for (const int64_t dim : dims) {
      check(dim >= 0, "shape: dimension ", dim, " (at least 0)");
      dims_[axis++] = dim;
    }
  }

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[axis]; }

  int64_t numel() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= dims_[axis];
    return product;
  }
  /// All dimensions but the last, multiplied.
  int64_t rows() const { return rank_ == 0 || cols() == 0 ? 0 : numel() / cols(); }
  /// The last dimension.
  int64_t cols() const { return rank_ == 0 ? 0 : dims_[rank_ - 1]; }

  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '(';
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis ? ", " : "") << shape[axis];
  return out << ')';
}

}  // namespace bertha
