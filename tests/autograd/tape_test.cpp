#include "autograd/tape.h"

#include <gtest/gtest.h>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/linear.h"
#include "tests/autograd/gradcheck.h"

namespace bertha {
namespace {

// A linear op whose weight gradient is wrong by one part in a thousand.
struct WrongOp {
  struct Saved {
    Tensor x;
  };
  static Tensor forward(Saved& saved, const Tensor& x) {
    saved = {x};
    Tensor y = Tensor::uninitialized(x.shape(), DType::f64);
    for (int64_t i = 0; i < x.numel(); ++i) y.data<double>()[i] = 3 * x.data<double>()[i];
    return y;
  }
  static void backward(const Saved&, const Tensor& dy, const Gradients<1>& d) {
    if (auto dx = d[0].open()) {
      for (int64_t i = 0; i < dy.numel(); ++i) dx.out->data<double>()[i] = 3.003 * dy.data<double>()[i];
    }
  }
};

TEST(Gradcheck, RejectsAGradientOffByOnePartInAThousand) {
  EXPECT_FALSE(gradcheck([](auto& v) { return apply<WrongOp>(v[0]); }, {randn({2, 3})}));
}

TEST(Tape, AConstantRecordsNothing) {
  const Var y = add(Var(randn({2, 2})), Var(randn({2, 2})));
  EXPECT_EQ(y.slot(), nullptr);
}

TEST(Tape, AParameterNobodyUsedHasAZeroGradient) {
  Tape tape;
  Tensor memory = randn({2, 2});
  const Var unused = tape.parameter(randn({2, 2}), memory, Tape::Gradient::kOverwrite, {});
  const Var leaf = tape.leaf(randn({1}));
  tape.backward(add(leaf, leaf));
  for (const double g : memory.span<double>()) EXPECT_EQ(g, 0);
  EXPECT_EQ(*Tape::gradient(leaf).data<double>(), 2);
}

TEST(Tape, AParameterIsFinalAfterItsFirstUseWasPassed) {
  Tape tape;
  std::vector<int> order;
  Tensor memory1 = randn({3, 3});
  Tensor memory2 = randn({3, 3});
  const Var w1 = tape.parameter(randn({3, 3}), memory1, Tape::Gradient::kOverwrite, [&] { order.push_back(1); });
  const Var h = linear(Var(randn({2, 3})), w1);
  const Var w2 = tape.parameter(randn({3, 3}), memory2, Tape::Gradient::kOverwrite, [&] { order.push_back(2); });
  const Var y = linear(linear(h, w2), w1);
  tape.backward(weighted_sum(y, randn({2, 3})));
  EXPECT_EQ(order, (std::vector<int>{2, 1}));
}

TEST(Tape, AccumulateAddsToWhatIsThere) {
  const Tensor w = randn({3, 3});
  const Tensor x = randn({2, 3});
  const Tensor cotangent = randn({2, 3});
  Tensor once = randn({3, 3});
  Tensor twice = randn({3, 3});
  const auto run = [&](Tensor& memory, Tape::Gradient gradient) {
    Tape tape;
    tape.backward(weighted_sum(linear(Var(x), tape.parameter(w, memory, gradient, {})), cotangent));
  };
  run(once, Tape::Gradient::kOverwrite);
  run(twice, Tape::Gradient::kOverwrite);
  run(twice, Tape::Gradient::kAccumulate);
  for (int64_t i = 0; i < 9; ++i) EXPECT_NEAR(twice.data<double>()[i], 2 * once.data<double>()[i], 1e-12);
}

TEST(Tape, BackwardNeedsASingleNumberThatDependsOnALeaf) {
  Tape tape;
  EXPECT_THROW(tape.backward(tape.leaf(randn({2}))), ShapeError);
  EXPECT_THROW(tape.backward(Var(randn({1}))), ShapeError);
}

TEST(Recompute, GivesTheSameGradientsAsKeeping) {
  const Tensor w = randn({4, 4});
  const auto block = [&](Tape*, const Var& x) { return tanh(linear(x, x)); };
  expect_same_function([&](auto& v) { return recompute(recompute(v[0], block), block); },
                       [&](auto& v) { return block(nullptr, block(nullptr, v[0])); }, {randn({4, 4})}, 0);
}

TEST(Recompute, AddsToAGradientThatIsThere) {
  const auto square = [](Tape*, const Var& x) { return linear(x, x); };
  EXPECT_TRUE(gradcheck([&](auto& v) { return add(recompute(v[0], square), v[0]); }, {randn({3, 3})}));
}

TEST(Recompute, ParametersAreFinalWhenTheInnerPassIsThrough) {
  const Tensor w = randn({3, 3});
  Tensor dw = Tensor::uninitialized({3, 3}, DType::f64);
  int final_gradients = 0;
  Tape tape;
  const Var x = tape.leaf(randn({3, 3}));
  const Var y = recompute(x, [&](Tape* inner, const Var& input) {
    return linear(input,
                  inner ? inner->parameter(w, dw, Tape::Gradient::kOverwrite, [&] { ++final_gradients; }) : Var(w));
  });
  tape.backward(y, randn({3, 3}));
  EXPECT_EQ(final_gradients, 1);
}

}  // namespace
}  // namespace bertha
