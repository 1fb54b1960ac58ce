#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "autograd/core/dtype.h"
#include "autograd/core/error.h"
#include "autograd/core/shape.h"

namespace bertha {

/// A contiguous, row-major array. Copies share the memory; a view by row range shares a part of it.
class Tensor {
 public:
  Tensor() = default;

  static Tensor uninitialized(Shape shape, DType dtype);
  static Tensor zeros(Shape shape, DType dtype);

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int64_t rows() const { return shape_.rows(); }
  int64_t cols() const { return shape_.cols(); }
  int64_t numel() const { return shape_.numel(); }
  bool empty() const { return memory_ == nullptr; }

  /// The elements; throws ShapeError unless T is the element type.
  template <class T>
  T* data() {
    return const_cast<T*>(std::as_const(*this).data<T>());
  }
  template <class T>
  const T* data() const {
    check(dtype_of<T>() == dtype_, "tensor: read as ", dtype_of<T>(), ", holds ", dtype_);
    return reinterpret_cast<const T*>(memory_.get());
  }
  template <class T>
  std::span<T> span() {
    return {data<T>(), static_cast<size_t>(numel())};
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<size_t>(numel())};
  }

  /// The elements from `offset` on under another shape, sharing memory; throws ShapeError where they do not fit.
  Tensor view(int64_t offset, Shape shape) const;
  /// Rows [begin, begin + count) of a matrix, sharing memory.
  Tensor row_range(int64_t begin, int64_t count) const { return view(begin * cols(), {count, cols()}); }

  void fill_zero();

 private:
  Shape shape_;
  DType dtype_ = DType::f32;
  std::shared_ptr<std::byte> memory_;
};

}  // namespace bertha
