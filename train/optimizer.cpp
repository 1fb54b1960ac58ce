#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

constexpr int64_t kPieceSize = 1 << 14;

// std::pow differs in its last bit between processors.
double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, ParameterStore& store)
    : options_(options), store_(store), tensors_(store.published()) {
  std::ranges::sort(tensors_, {}, &PublishedTensor::offset);
  for (size_t tensor = 0; tensor < tensors_.size(); ++tensor) {
    const int64_t size = tensors_[tensor].shape.numel();
    for (int64_t begin = 0; begin < size; begin += kPieceSize) {
      pieces_.push_back({tensors_[tensor].offset + begin, std::min(kPieceSize, size - begin), tensor});
    }
  }
  const auto elements = std::ssize(store.values());
  first_moments_ = Tensor::zeros({elements}, DType::f32);
  second_moments_ = Tensor::zeros({elements}, DType::f32);
}

template <class F>
void Optimizer::for_each_piece(F&& f) const {
  parallel_for(std::ssize(pieces_), 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) f(pieces_[piece], piece);
  });
}

double Optimizer::gradient_norm() {
  const float* gradients = store_.gradients().data();
  std::vector<double> squares(pieces_.size());
  for_each_piece([&](const Piece& piece, int64_t number) {
    squares[number] = kernels::sum_of_squares(gradients + piece.offset, piece.size);
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

void Optimizer::apply(double learning_rate, double gradient_norm) {
  check<Error>(std::isfinite(gradient_norm), "optimizer: gradient norm is ", gradient_norm, " at step ", steps_ + 1);
  ++steps_;
  const kernels::AdamCoefficients c = coefficients(gradient_norm);
  if (options_.kind == OptimizerKind::kAdamW) {
    apply_adamw(learning_rate, c);
  } else {
    apply_lamb(learning_rate, c);
  }
}

kernels::AdamCoefficients Optimizer::coefficients(double gradient_norm) const {
  const double clip = options_.clip_grad_norm;
  return {.gradient_scale = static_cast<float>(clip > 0 ? std::min(1.0, clip / (gradient_norm + 1e-6)) : 1.0),
          .one_minus_beta1 = static_cast<float>(1 - options_.beta1),
          .beta2 = static_cast<float>(options_.beta2),
          .one_minus_beta2 = static_cast<float>(1 - options_.beta2),
          .first_correction = static_cast<float>(1 / (1 - power(options_.beta1, steps_))),
          .second_correction = static_cast<float>(1 / std::sqrt(1 - power(options_.beta2, steps_))),
          .epsilon = static_cast<float>(options_.epsilon)};
}

double Optimizer::weight_decay(const Piece& piece) const {
  return tensors_[piece.tensor].weight_decay ? options_.weight_decay : 0;
}

void Optimizer::apply_adamw(double learning_rate, const kernels::AdamCoefficients& c) {
  float* p = store_.values().data();
  const float* dp = store_.gradients().data();
  float* m = first_moments().data();
  float* v = second_moments().data();
  for_each_piece([&](const Piece& piece, int64_t) {
    const int64_t at = piece.offset;
    kernels::adamw_update(p + at, dp + at, m + at, v + at, piece.size, c, static_cast<float>(learning_rate),
                          static_cast<float>(1 - learning_rate * weight_decay(piece)));
  });
}

void Optimizer::apply_lamb(double learning_rate, const kernels::AdamCoefficients& c) {
  float* p = store_.values().data();
  const float* dp = store_.gradients().data();
  float* m = first_moments().data();
  float* v = second_moments().data();
  std::vector<kernels::LambSquares> squares(pieces_.size());
  for_each_piece([&](const Piece& piece, int64_t number) {
    const int64_t at = piece.offset;
    squares[number] =
        kernels::lamb_moments(p + at, dp + at, m + at, v + at, piece.size, c, static_cast<float>(weight_decay(piece)));
  });
  const std::vector<double> ratios = trust_ratios(squares);
  for_each_piece([&](const Piece& piece, int64_t) {
    const int64_t at = piece.offset;
    kernels::lamb_update(p + at, m + at, v + at, piece.size, c, static_cast<float>(weight_decay(piece)),
                         static_cast<float>(learning_rate * ratios[piece.tensor]));
  });
}

std::vector<double> Optimizer::trust_ratios(std::span<const kernels::LambSquares> by_piece) const {
  std::vector<kernels::LambSquares> by_tensor(tensors_.size());
  for (size_t piece = 0; piece < pieces_.size(); ++piece) {
    kernels::LambSquares& sum = by_tensor[pieces_[piece].tensor];
    sum.values += by_piece[piece].values;
    sum.direction += by_piece[piece].direction;
  }
  std::vector<double> ratios;
  for (const kernels::LambSquares& sum : by_tensor) {
    const bool defined = sum.values > 0 && sum.direction > 0;
    ratios.push_back(defined ? std::sqrt(sum.values) / std::sqrt(sum.direction) : 1);
  }
  return ratios;
}

const PublishedTensor* first_tensor_with_nonfinite_gradient(const ParameterStore& store) {
  for (const auto& parameter : store.parameters()) {
    for (const PublishedTensor& tensor : parameter->slices) {
      const auto gradient = store.gradients().subspan(tensor.offset, tensor.shape.numel());
      if (!std::ranges::all_of(gradient, [](float x) { return std::isfinite(x); })) return &tensor;
    }
  }
  return nullptr;
}

}  // namespace bertha
