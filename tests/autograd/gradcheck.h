#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autograd/core/random.h"
#include "autograd/kernels/isa.h"
#include "autograd/tape.h"

namespace bertha {

/// Standard normal elements in double, different in each call of one test but the same in every run.
inline Tensor randn(Shape shape, uint64_t seed = 0) {
  static uint64_t calls = 0;
  RandomStream stream(seed, "test", ++calls);
  Tensor tensor = Tensor::uninitialized(shape, DType::f64);
  for (double& x : tensor.span<double>()) x = stream.normal();
  return tensor;
}

inline Tensor to_float(const Tensor& x) {
  Tensor y = Tensor::uninitialized(x.shape(), DType::f32);
  std::ranges::transform(x.span<double>(), y.span<float>().begin(), [](double e) { return static_cast<float>(e); });
  return y;
}

inline Tensor to_bf16(const Tensor& x) {
  Tensor y = Tensor::uninitialized(x.shape(), DType::bf16);
  std::ranges::transform(x.span<double>(), y.span<bfloat16>().begin(),
                         [](double e) { return bfloat16(static_cast<float>(e)); });
  return y;
}
/// Any tensor's elements in double.
inline Tensor to_double(const Tensor& x) {
  Tensor y = Tensor::uninitialized(x.shape(), DType::f64);
  for (int64_t i = 0; i < x.numel(); ++i) {
    y.data<double>()[i] = x.dtype() == DType::bf16  ? static_cast<float>(x.data<bfloat16>()[i])
                          : x.dtype() == DType::f32 ? x.data<float>()[i]
                                                    : x.data<double>()[i];
  }
  return y;
}

inline double max_difference(const Tensor& a, const Tensor& b) {
  double worst = a.shape() == b.shape() ? 0 : INFINITY;
  for (int64_t i = 0; i < std::min(a.numel(), b.numel()); ++i) {
    const double d = dispatch(a.dtype(), [&]<class T>() {
      return static_cast<double>(a.data<T>()[i]) - static_cast<double>(b.data<T>()[i]);
    });
    worst = std::max(worst, std::isnan(d) ? INFINITY : std::abs(d));
  }
  return worst;
}

/// sum_i c_i y_i: turns any output into the one number that backward starts from.
struct WeightedSumOp {
  struct Saved {
    Tensor weights;
  };
  static Tensor forward(Saved& saved, const Tensor& y, const Tensor& weights) {
    saved = {weights};
    Tensor total = Tensor::zeros({1}, y.dtype());
    dispatch(y.dtype(), [&]<class T>() {
      for (int64_t i = 0; i < y.numel(); ++i) *total.data<T>() += y.data<T>()[i] * weights.data<T>()[i];
    });
    return total;
  }
  static void backward(const Saved& saved, const Tensor& dtotal, const Gradients<1>& d) {
    if (auto dy = d[0].open()) {
      dispatch(dtotal.dtype(), [&]<class T>() {
        for (int64_t i = 0; i < dy.out->numel(); ++i) {
          T& out = dy.out->data<T>()[i];
          out = *dtotal.data<T>() * saved.weights.data<T>()[i] + (dy.beta == 0 ? T{0} : out);
        }
      });
    }
  }
};
inline Var weighted_sum(const Var& y, const Tensor& weights) {
  return apply<WeightedSumOp>(y, weights);
}

using Function = std::function<Var(std::vector<Var>&)>;

/// The gradients of sum(cotangent * f(inputs)) by every input.
inline std::vector<Tensor> gradients_of(const Function& f, const std::vector<Tensor>& inputs, const Tensor& cotangent) {
  Tape tape;
  std::vector<Var> leaves;
  for (const Tensor& input : inputs) leaves.push_back(tape.leaf(input));
  tape.backward(weighted_sum(f(leaves), cotangent));
  std::vector<Tensor> gradients;
  for (const Var& leaf : leaves) gradients.push_back(Tape::gradient(leaf));
  return gradients;
}

inline Tensor value_of(const Function& f, const std::vector<Tensor>& inputs) {
  std::vector<Var> constants(inputs.begin(), inputs.end());
  return f(constants).value();
}

/// Compares backward with central differences in double under a random cotangent: relative error at most 1e-6 against
/// max(|analytic|, |numeric|) + 1e-3 max |gradient|, every element of every input.
inline ::testing::AssertionResult gradcheck(const Function& f, std::vector<Tensor> inputs) {
  constexpr double kStep = 1e-5;
  const Tensor cotangent = randn(value_of(f, inputs).shape());
  const auto loss = [&] { return *weighted_sum(Var(value_of(f, inputs)), cotangent).value().data<double>(); };
  const std::vector<Tensor> analytic = gradients_of(f, inputs, cotangent);
  for (size_t which = 0; which < inputs.size(); ++which) {
    const std::span<const double> gradient = analytic[which].span<double>();
    double largest = 0;
    for (const double g : gradient) largest = std::max(largest, std::abs(g));
    for (size_t i = 0; i < gradient.size(); ++i) {
      double& x = inputs[which].span<double>()[i];
      const double original = x;
      const double step = kStep * std::max(1.0, std::abs(original));
      x = original + step;
      const double above = loss();
      x = original - step;
      const double below = loss();
      x = original;
      const double numeric = (above - below) / (2 * step);
      const double allowed = 1e-6 * (std::max(std::abs(gradient[i]), std::abs(numeric)) + 1e-3 * largest);
      if (!(std::abs(gradient[i] - numeric) <= allowed)) {
        return ::testing::AssertionFailure() << "input " << which << ", element " << i << ": backward says "
                                             << gradient[i] << ", differences say " << numeric;
      }
    }
  }
  return ::testing::AssertionSuccess();
}

/// Asserts that two functions agree in value and in every gradient to `tolerance` in double.
inline void expect_same_function(const Function& fused, const Function& plain, const std::vector<Tensor>& inputs,
                                 double tolerance) {
  const Tensor expected = value_of(plain, inputs);
  EXPECT_LE(max_difference(value_of(fused, inputs), expected), tolerance);
  const Tensor cotangent = randn(expected.shape());
  const auto got = gradients_of(fused, inputs, cotangent);
  const auto want = gradients_of(plain, inputs, cotangent);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_LE(max_difference(got[i], want[i]), tolerance) << "gradient " << i;
}

/// Asserts that the float kernels agree with the double ones to `tolerance`, value and gradients.
inline void expect_float_agrees(const Function& f, const std::vector<Tensor>& inputs, double tolerance) {
  const Tensor expected = value_of(f, inputs);
  const Tensor cotangent = randn(expected.shape());
  const auto want = gradients_of(f, inputs, cotangent);
  std::vector<Tensor> floats;
  for (const Tensor& input : inputs) floats.push_back(to_float(input));
  EXPECT_LE(max_difference(value_of(f, floats), to_float(expected)), tolerance);
  const auto got = gradients_of(f, floats, to_float(cotangent));
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_LE(max_difference(got[i], to_float(want[i])), tolerance) << "gradient " << i;
  }
}

/// Asserts that with bf16 activations, the inputs that `activations` names, values and gradients are those in double of
/// the same rounded inputs, to `tolerance` of the largest. All other inputs are f32.
inline void expect_bf16_agrees(const Function& f, std::vector<Tensor> inputs, const std::vector<size_t>& activations,
                               double tolerance) {
  if (!kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  std::vector<Tensor> rounded;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool activation = std::ranges::find(activations, i) != activations.end();
    rounded.push_back(activation ? to_bf16(inputs[i]) : to_float(inputs[i]));
    inputs[i] = to_double(rounded[i]);
  }
  const auto expect_near = [tolerance](const Tensor& got, const Tensor& want, const char* what) {
    double largest = 0;
    for (const double x : want.span<double>()) largest = std::max(largest, std::abs(x));
    EXPECT_LE(max_difference(to_double(got), want), tolerance * largest) << what;
  };
  const Tensor value = value_of(f, rounded);
  expect_near(value, value_of(f, inputs), "value");
  const Tensor cotangent = randn(value.shape());
  const Tensor rounded_cotangent = value.dtype() == DType::bf16 ? to_bf16(cotangent) : to_float(cotangent);
  Tape tape;
  std::vector<Var> leaves;
  for (const Tensor& input : rounded) leaves.push_back(tape.leaf(input));
  tape.backward(f(leaves), rounded_cotangent);
  const auto want = gradients_of(f, inputs, to_double(rounded_cotangent));
  for (size_t i = 0; i < inputs.size(); ++i) expect_near(Tape::gradient(leaves[i]), want[i], "a gradient");
}

}  // namespace bertha
