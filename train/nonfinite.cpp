#include "train/nonfinite.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/kernels/isa.h"

namespace bertha {
namespace {

bool all_finite(const Tensor& tensor) {
  return kernels::dispatch(tensor.dtype(), [&]<class Isa, class T>() {
    return std::ranges::all_of(tensor.span<T>(), [](T x) { return std::isfinite(static_cast<float>(x)); });
  });
}

// Of a parameter that files know as several.
std::string first_nonfinite_name(const Parameter& parameter, std::span<const float> block) {
  for (const PublishedTensor& tensor : parameter.slices) {
    const auto elements = block.subspan(tensor.offset, tensor.shape.numel());
    if (!std::ranges::all_of(elements, [](float x) { return std::isfinite(x); })) return tensor.name;
  }
  return {};
}

std::string in_parameters(const ParameterStore& store) {
  for (const auto& parameter : store.parameters()) {
    const std::string name = first_nonfinite_name(*parameter, store.values());
    if (!name.empty()) return "the parameter '" + name + "'";
  }
  return {};
}

std::string in_forward(const StepReplay& replay) {
  std::string found;
  for (size_t slice = 0; slice < replay.slices && found.empty(); ++slice) {
    Run run = replay.make_run(nullptr, slice);
    run.observer = [&](const std::string& path, const Tensor& tensor) {
      if (found.empty() && !all_finite(tensor)) found = "the output of '" + path + "'";
    };
    std::vector<LossSums> sums(replay.scales.size());
    replay.task.loss(run, slice, replay.scales, sums);
    for (size_t part = 0; part < sums.size() && found.empty(); ++part) {
      if (!std::isfinite(sums[part].loss)) found = "the loss '" + replay.task.loss_parts()[part] + "'";
    }
  }
  return found;
}

// Backward reports a gradient as soon as it is computed.
std::string in_backward(const StepReplay& replay) {
  const ParameterStore& store = replay.task.parameters();
  std::string found;
  for (size_t slice = 0; slice < replay.slices && found.empty(); ++slice) {
    Tape tape;
    Run run = replay.make_run(&tape, slice);
    run.gradient = Tape::Gradient::kOverwrite;
    run.on_gradient = [&](const Parameter& parameter) {
      if (found.empty()) found = first_nonfinite_name(parameter, store.gradients());
    };
    std::vector<LossSums> sums(replay.scales.size());
    tape.backward(replay.task.loss(run, slice, replay.scales, sums));
  }
  return found.empty() ? "" : "the gradient of '" + found + "'";
}

// The first rank's that found something.
std::string first_of_ranks(const std::string& found, Communicator& communicator) {
  const std::vector<std::string> all = communicator.all_gather(found);
  for (size_t rank = 0; rank < all.size(); ++rank) {
    if (!all[rank].empty()) return all.size() == 1 ? all[rank] : all[rank] + " on rank " + std::to_string(rank);
  }
  return {};
}

}  // namespace

std::string locate_nonfinite(const StepReplay& replay, Communicator& communicator) {
  std::string found = first_of_ranks(in_parameters(replay.task.parameters()), communicator);
  if (found.empty()) found = first_of_ranks(in_forward(replay), communicator);
  if (found.empty()) found = first_of_ranks(in_backward(replay), communicator);
  return found.empty() ? "the sum of the micro-slices' gradients" : found;
}

}  // namespace bertha
