#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

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
    : options_(options), store_(store), tensors_(in_block_order(store)), pieces_(cut_into_pieces(tensors_)) {
  take_shares({{0, std::ssize(store.values())}});
}

Optimizer::Optimizer(const OptimizerOptions& options, ParameterStore& store, std::span<const Bucket> buckets,
                     Communicator& communicator)
    : options_(options),
      store_(store),
      tensors_(in_block_order(store)),
      pieces_(cut_into_pieces(tensors_)),
      communicator_(&communicator),
      buckets_(buckets.begin(), buckets.end()) {
  std::vector<IndexRange> shares;
  for (const Bucket& bucket : buckets) shares.push_back(bucket.share(communicator.rank()));
  take_shares(std::move(shares));
}

void Optimizer::take_shares(std::vector<IndexRange> shares) {
  shares_ = std::move(shares);
  int64_t moments = 0;
  size_t piece = 0;
  for (const IndexRange share : shares_) {
    while (piece < pieces_.size() && pieces_[piece].offset < share.begin) ++piece;
    for (; piece < pieces_.size() && pieces_[piece].offset < share.end; ++piece) {
      own_pieces_.push_back({piece, moments + pieces_[piece].offset - share.begin});
    }
    moments += share.size();
  }
  first_moments_ = Tensor::zeros({moments}, DType::f32);
  second_moments_ = Tensor::zeros({moments}, DType::f32);
}

template <class F>
void Optimizer::for_each_own_piece(F&& f) const {
  parallel_for(std::ssize(own_pieces_), 1, [&](int64_t begin, int64_t end) {
    for (int64_t own = begin; own < end; ++own) f(own_pieces_[own], pieces_[own_pieces_[own].number]);
  });
}

// Every rank has numbers for its own pieces and zeros for all others: whatever order they are added in, the sum is
// exact.
void Optimizer::complete(std::span<double> by_piece) const {
  if (communicator_) communicator_->all_reduce_sum(by_piece);
}

double Optimizer::gradient_norm() {
  const float* gradients = store_.gradients().data();
  std::vector<double> squares(pieces_.size());
  for_each_own_piece([&](const OwnPiece& own, const Piece& piece) {
    squares[own.number] = kernels::sum_of_squares(gradients + piece.offset, piece.size);
  });
  complete(squares);
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

double Optimizer::scaled(double learning_rate, const Piece& piece) const {
  const auto& scale = options_.learning_rate_scale;
  return scale ? learning_rate * scale(tensors_[piece.tensor]) : learning_rate;
}

void Optimizer::apply_adamw(double learning_rate, const kernels::AdamCoefficients& c) {
  float* p = store_.values().data();
  const float* dp = store_.gradients().data();
  float* m = first_moments().data();
  float* v = second_moments().data();
  for_each_own_piece([&](const OwnPiece& own, const Piece& piece) {
    const double rate = scaled(learning_rate, piece);
    kernels::adamw_update(p + piece.offset, dp + piece.offset, m + own.moments, v + own.moments, piece.size, c,
                          static_cast<float>(rate), static_cast<float>(1 - rate * weight_decay(piece)));
  });
}

void Optimizer::apply_lamb(double learning_rate, const kernels::AdamCoefficients& c) {
  float* p = store_.values().data();
  const float* dp = store_.gradients().data();
  float* m = first_moments().data();
  float* v = second_moments().data();
  std::vector<double> values(pieces_.size()), directions(pieces_.size());
  for_each_own_piece([&](const OwnPiece& own, const Piece& piece) {
    const kernels::LambSquares squares =
        kernels::lamb_moments(p + piece.offset, dp + piece.offset, m + own.moments, v + own.moments, piece.size, c,
                              static_cast<float>(weight_decay(piece)));
    values[own.number] = squares.values;
    directions[own.number] = squares.direction;
  });
  complete(values);
  complete(directions);
  const std::vector<double> ratios = trust_ratios(values, directions);
  for_each_own_piece([&](const OwnPiece& own, const Piece& piece) {
    kernels::lamb_update(p + piece.offset, m + own.moments, v + own.moments, piece.size, c,
                         static_cast<float>(weight_decay(piece)),
                         static_cast<float>(scaled(learning_rate, piece) * ratios[piece.tensor]));
  });
}

std::vector<double> Optimizer::trust_ratios(std::span<const double> values, std::span<const double> directions) const {
  std::vector<kernels::LambSquares> by_tensor(tensors_.size());
  for (size_t piece = 0; piece < pieces_.size(); ++piece) {
    kernels::LambSquares& sum = by_tensor[pieces_[piece].tensor];
    sum.values += values[piece];
    sum.direction += directions[piece];
  }
  std::vector<double> ratios;
  for (const kernels::LambSquares& sum : by_tensor) {
    const bool defined = sum.values > 0 && sum.direction > 0;
    ratios.push_back(defined ? std::sqrt(sum.values) / std::sqrt(sum.direction) : 1);
  }
  return ratios;
}

void Optimizer::gather_values() {
  for (const Bucket& bucket : buckets_) communicator_->all_gather_shares(store_.values(), bucket.bounds);
}

}  // namespace bertha
