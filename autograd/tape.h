#pragma once

#include <array>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/tensor.h"

namespace bertha {

class Tape;

/// The gradient of one Var while backward runs.
struct GradientSlot {
  Tape* tape;
  Shape shape;
  DType dtype;
  Tensor memory;         // empty until first opened, unless it is a parameter's
  bool written = false;  // whether memory holds a contribution
};

/// A tensor and, where a gradient is wanted, the slot that collects it.
class Var {
 public:
  Var() = default;
  explicit Var(Tensor value) : value_(std::move(value)) {}
  Var(Tensor value, std::shared_ptr<GradientSlot> slot) : value_(std::move(value)), slot_(std::move(slot)) {}

  const Tensor& value() const { return value_; }
  int64_t rows() const { return value_.rows(); }
  int64_t cols() const { return value_.cols(); }
  const std::shared_ptr<GradientSlot>& slot() const { return slot_; }

 private:
  Tensor value_;
  std::shared_ptr<GradientSlot> slot_;
};

/// Where an op writes the gradient of one input: `out = contribution + beta out`, beta 0 (out is uninitialised) or 1.
/// False where nobody needs it.
struct GradientTarget {
  Tensor* out = nullptr;
  double beta = 0;

  explicit operator bool() const { return out != nullptr; }
};

/// The gradients an op may write: one entry for each Var it took, in order.
class GradientEntry {
 public:
  GradientEntry() = default;
  explicit GradientEntry(GradientSlot* slot) : slot_(slot) {}
  /// Call once, and write all of it before the next entry is opened: two inputs may be one Var. An op that fills
  /// several in one pass writes each row in the order in which it opened them.
  GradientTarget open() const;

 private:
  GradientSlot* slot_ = nullptr;
};
template <size_t N>
using Gradients = std::array<GradientEntry, N>;

/// What one forward pass recorded. Reverse order of creation is a topological order, so backward is one loop from the
/// back; each node is destroyed right after it ran and its activations return to the cache.
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A tensor whose gradient is wanted, into memory of its own, read with `gradient` after backward.
  Var leaf(Tensor value);

  /// A parameter. Its gradient goes into `memory`: overwritten, or added to where `accumulate`. on_final runs when
  /// backward has passed the parameter's first use, after which nothing writes to it; memory is then filled in any
  /// case.
  enum class Gradient { kOverwrite, kAccumulate };
  Var parameter(Tensor value, Tensor memory, Gradient gradient, std::function<void()> on_final);

  /// Fills the gradients of everything `loss`, a single number, depends on; the tape is empty afterwards.
  void backward(const Var& loss);
  /// The same from any tensor whose gradient is known.
  void backward(const Var& y, Tensor dy);

  /// The gradient of a leaf; throws ShapeError where backward left none.
  static const Tensor& gradient(const Var& leaf);

  struct Node {
    virtual ~Node() = default;
    virtual void backward() = 0;
  };
  void push(std::unique_ptr<Node> node) { nodes_.push_back(std::move(node)); }

 private:
  void run();

  std::vector<std::unique_ptr<Node>> nodes_;
};

/// y = f(null, x), of which only x is kept: backward calls f(tape, x) again with a tape of its own and goes through
/// that. f must do the same both times; parameters it uses are its own. Source: Chen et al. 2016 (arXiv:1604.06174).
Var recompute(const Var& x, std::function<Var(Tape*, const Var&)> f);

namespace detail {

template <class Op, size_t N>
struct OpNode : Tape::Node {
  typename Op::Saved saved;
  std::array<std::shared_ptr<GradientSlot>, N> inputs;
  std::shared_ptr<GradientSlot> output;

  void backward() override {
    if (!output->written) return;
    Gradients<N> gradients;
    for (size_t i = 0; i < N; ++i) gradients[i] = GradientEntry(inputs[i].get());
    Op::backward(saved, output->memory, gradients);
  }
};

template <class T>
constexpr bool kIsVar = std::is_same_v<std::remove_cvref_t<T>, Var>;

template <class T>
decltype(auto) unwrap(const T& argument) {
  if constexpr (kIsVar<T>) {
    return (argument.value());
  } else {
    return (argument);
  }
}

}  // namespace detail

/// Runs Op::forward(saved, arguments...) with every Var as its Tensor and, if any Var wants a gradient, records
/// Op::backward(saved, dy, gradients) on that Var's tape.
template <class Op, class... Args>
Var apply(const Args&... arguments) {
  constexpr size_t kInputs = (size_t{detail::kIsVar<Args>} + ...);
  auto node = std::make_unique<detail::OpNode<Op, kInputs>>();
  Tensor result = Op::forward(node->saved, detail::unwrap(arguments)...);
  Tape* tape = nullptr;
  size_t index = 0;
  const auto record = [&](const auto& argument) {
    if constexpr (detail::kIsVar<decltype(argument)>) {
      node->inputs[index++] = argument.slot();
      if (argument.slot()) tape = argument.slot()->tape;
    }
  };
  (record(arguments), ...);
  if (!tape) return Var(std::move(result));
  auto slot = std::make_shared<GradientSlot>(tape, result.shape(), result.dtype());
  node->output = slot;
  tape->push(std::move(node));
  return {std::move(result), std::move(slot)};
}

}  // namespace bertha
