#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "nn/run.h"
#include "train/comm/communicator.h"
#include "train/training_task.h"

namespace bertha {

/// How to run a micro-slice of this rank's again, as in the step: the pass that it is made with, and the scales.
struct StepReplay {
  TrainingTask& task;
  size_t slices;
  std::span<const double> scales;
  std::function<Run(Tape* tape, size_t slice)> make_run;
};

/// What was the first not to be finite in a step that ended in a loss or a gradient that is not: in the order of
/// computing a parameter, an activation, a part of the loss, or the gradient of a parameter; of several ranks the
/// lowest. It computes the step again and leaves other gradients behind. The same on every rank; collective.
std::string locate_nonfinite(const StepReplay& replay, Communicator& communicator);

}  // namespace bertha
