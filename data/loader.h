#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "data/batches.h"
#include "data/micro_slices.h"
#include "data/packed_batch.h"

namespace bertha {

/// Prepares the batches of the next few steps in a thread of its own, so that training never waits for reading and
/// masking. Destruction stops the thread after at most one micro-batch.
class Loader {
 public:
  /// Produces this rank's `slices` of every batch from `first_batch` on.
  Loader(TrainingBatches batches, IndexRange slices, int64_t first_batch);

  /// The micro-batches of the next step, one a slice. Throws what the thread failed with.
  std::vector<PackedBatch> next();

 private:
  void run(const std::stop_token& stop);
  bool produce_step(const std::stop_token& stop, int64_t batch);

  TrainingBatches batches_;
  IndexRange slices_;
  int64_t first_batch_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::vector<PackedBatch>> steps_;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses the members above
};

}  // namespace bertha
