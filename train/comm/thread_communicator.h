#pragma once

#include <functional>

#include "train/comm/communicator.h"

namespace bertha {

/// Runs `body` once for every rank, each on a thread of this process, so that tests need no mpirun. Sums run in rank
/// order, and a send blocks until it is received, which is the most that MPI allows itself.
/// Throws: what the first failing rank threw; the waiting calls of all others fail, too.
void run_as_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace bertha
