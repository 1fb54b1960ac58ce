#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "nn/parameter.h"
#include "train/comm/communicator.h"
#include "train/partition.h"

namespace bertha {

enum class Overlap { kOff, kOn };

/// Sums the gradients of all ranks, bucket by bucket, while backward still computes them. A bucket leaves once all that
/// lies before its end is ready, so the sums are the same with overlap on and off. From the first `ready` of a step to
/// the end of `finish`, nobody else may use the communicator. One rank alone does nothing.
/// Source: buckets and overlap as in Li et al. 2020 (arXiv:2006.15704) §3.2.
class GradientReducer {
 public:
  /// With overlap one thread makes all exchanges. Where the optimiser is sharded a rank receives the sums of its shares
  /// only, and the rest of its gradients is undefined.
  GradientReducer(Communicator& communicator, ParameterStore& store, std::span<const Bucket> buckets, Overlap overlap,
                  Sharding sharding);
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// The gradient of `parameter` is final in this step. Throws: Error where it was ready already.
  void ready(const Parameter& parameter);

  /// Takes all other gradients as final, waits for all sums and starts the next step.
  /// Throws: what an exchange threw.
  void finish();

 private:
  void sum(const Bucket& bucket);
  void exchange_as_they_become_ready(const std::stop_token& stop);
  void await_exchanges();

  Communicator& communicator_;
  ParameterStore& store_;
  const std::vector<Bucket> buckets_;
  const Sharding sharding_;

  std::mutex mutex_;  // guards all below
  std::condition_variable_any changed_;
  std::vector<bool> ready_;   // by parameter
  size_t unready_;            // parameters before which, in the block's order, something is missing
  size_t ready_buckets_ = 0;  // leading buckets that may leave
  size_t summed_buckets_ = 0;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it stops before the rest goes
};

}  // namespace bertha
