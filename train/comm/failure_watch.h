#pragma once

#include <chrono>
#include <exception>
#include <string>

#include "train/comm/communicator.h"

namespace bertha {

// A run of several ranks ends as a whole, with one line that names rank, step, phase and cause, whichever rank fails
// and however: by an error, by a signal that nothing can catch, or by standing still.

/// Says a sentence, the line of a failure. Called by any thread; nothing is said before there is one.
using Voice = void (*)(const std::string& sentence);
void say_failures_by(Voice voice);

/// Starts a thread that watches the ranks on this machine, until `stop_watching`: where one ends without having stopped
/// watching, its line is said and this process ends with 1. It ends silently where its launcher is gone. Collective.
void watch_ranks(Communicator& communicator);
void stop_watching();

/// Longer than any rank stands still that has not failed.
inline constexpr std::chrono::seconds kStallLimit{300};

/// From now on a rank that stands still for so long counts as failed, too: one that is stopped, or that neither
/// computes nor waits for others. Watches this process where it runs alone. Zero: none does.
void watch_for_stalls(std::chrono::seconds limit);

/// Ends all ranks because of an error of this one: with its sentence where that is the same on every rank, else with
/// rank and place added. Returns the exit code where this process runs alone.
int end_with_failure(const std::exception& error);

/// Says that `error` is on its way to `end_with_failure`. Where it takes long, for threads on the stack between may
/// wait for other ranks, the thread that watches ends all ranks in its place.
void announce_failure(const std::exception& error);

}  // namespace bertha
