#include "autograd/tensor.h"

#include <cstring>

#include "autograd/core/memory.h"

namespace bertha {

Tensor Tensor::uninitialized(Shape shape, DType dtype) {
  Tensor tensor;
  tensor.shape_ = shape;
  tensor.dtype_ = dtype;
  tensor.memory_ = allocate(static_cast<size_t>(shape.numel()) * size_of(dtype));
  return tensor;
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
  Tensor tensor = uninitialized(shape, dtype);
  tensor.fill_zero();
  return tensor;
}

Tensor Tensor::view(int64_t offset, Shape shape) const {
  check(offset >= 0 && offset + shape.numel() <= numel(), "tensor: view of ", shape, " at ", offset, " in ", shape_);
  Tensor result = *this;
  result.shape_ = shape;
  const auto bytes = static_cast<size_t>(offset) * size_of(dtype_);
  result.memory_ = std::shared_ptr<std::byte>(memory_, memory_.get() + bytes);
  return result;
}

void Tensor::fill_zero() {
  std::memset(memory_.get(), 0, static_cast<size_t>(numel()) * size_of(dtype_));
}

}  // namespace bertha
