#include "autograd/tape.h"

namespace bertha {
namespace {

struct FinalNode : Tape::Node {
  std::shared_ptr<GradientSlot> slot;
  std::function<void()> on_final;

  void backward() override {
    if (!slot->written) slot->memory.fill_zero();
    if (on_final) on_final();
  }
};

struct RecomputeNode : Tape::Node {
  std::function<Var(Tape*, const Var&)> f;
  Tensor x;
  std::shared_ptr<GradientSlot> input, output;

  void backward() override {
    if (!output->written) return;
    Tape tape;
    // The inner pass writes straight into the outer slot, but finds its own tape through it.
    auto slot = std::make_shared<GradientSlot>(*input);
    slot->tape = &tape;
    tape.backward(f(&tape, Var(x, slot)), output->memory);
    input->memory = slot->memory;
    input->written = slot->written;
  }
};

}  // namespace

GradientTarget GradientEntry::open() const {
  if (!slot_) return {};
  if (slot_->memory.empty()) slot_->memory = Tensor::uninitialized(slot_->shape, slot_->dtype);
  return {&slot_->memory, std::exchange(slot_->written, true) ? 1.0 : 0.0};
}

Var Tape::leaf(Tensor value) {
  auto slot = std::make_shared<GradientSlot>(this, value.shape(), value.dtype());
  return {std::move(value), std::move(slot)};
}

Var Tape::parameter(Tensor value, Tensor memory, Gradient gradient, std::function<void()> on_final) {
  check(memory.shape() == value.shape(), "tape: gradient memory ", memory.shape(), " for a parameter ", value.shape());
  auto slot = std::make_shared<GradientSlot>(this, value.shape(), value.dtype(), std::move(memory),
                                             gradient == Gradient::kAccumulate);
  auto node = std::make_unique<FinalNode>();
  node->slot = slot;
  node->on_final = std::move(on_final);
  push(std::move(node));
  return {std::move(value), std::move(slot)};
}

void Tape::backward(const Var& loss) {
  check(loss.slot() && loss.value().numel() == 1, "tape: backward from a tensor of shape ", loss.value().shape(),
        loss.slot() ? "" : " that depends on no leaf", " (a single number)");
  const GradientTarget seed = GradientEntry(loss.slot().get()).open();
  dispatch(seed.out->dtype(), [&]<class T>() { *seed.out->data<T>() = 1; });
  run();
}

void Tape::backward(const Var& y, Tensor dy) {
  check(y.slot() && dy.shape() == y.value().shape(), "tape: gradient ", dy.shape(), " for a tensor ", y.value().shape(),
        y.slot() ? "" : " that depends on no leaf");
  y.slot()->memory = std::move(dy);
  y.slot()->written = true;
  run();
}

void Tape::run() {
  while (!nodes_.empty()) {
    const std::unique_ptr<Node> node = std::move(nodes_.back());
    nodes_.pop_back();
    node->backward();
  }
}

const Tensor& Tape::gradient(const Var& leaf) {
  check(leaf.slot() && leaf.slot()->written, "tape: no gradient has reached this tensor of shape ",
        leaf.value().shape());
  return leaf.slot()->memory;
}

Var recompute(const Var& x, std::function<Var(Tape*, const Var&)> f) {
  Tensor y = f(nullptr, Var(x.value())).value();
  if (!x.slot()) return Var(std::move(y));
  auto node = std::make_unique<RecomputeNode>();
  node->f = std::move(f);
  node->x = x.value();
  node->input = x.slot();
  node->output = std::make_shared<GradientSlot>(x.slot()->tape, y.shape(), y.dtype());
  const std::shared_ptr<GradientSlot> slot = node->output;
  x.slot()->tape->push(std::move(node));
  return {std::move(y), slot};
}

}  // namespace bertha
