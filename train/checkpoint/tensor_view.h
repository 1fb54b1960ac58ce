#pragma once

#include <span>
#include <string>

#include "autograd/core/shape.h"

namespace bertha {

/// A tensor to be saved: its published name, its shape and its elements in row-major order, which stay the owner's.
struct TensorView {
  std::string name;
  Shape shape;
  std::span<const float> values;
};

}  // namespace bertha
