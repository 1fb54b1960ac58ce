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

}  // namespace bertha
