#pragma once

#include <cstdint>

namespace bertha {

/// What a run is busy with, for the message about its end.
enum class Phase : int32_t { kLoad, kForward, kBackward, kCommunication, kUpdate, kEvaluation, kCheckpoint };

/// From now on this process is in `phase` of the step it is in, 0 before the first. Costs a few stores to memory.
void enter(Phase phase);

/// The same in a step, counted from 1.
void enter(Phase phase, int64_t step);

}  // namespace bertha
