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

namespace bertha {

enum class Overlap { kOff, kOn };

/// Sums the gradients of all ranks while backward still computes them. The flat gradient block is cut into buckets at
/// parameter boundaries; a bucket leaves once all its parameters and all earlier buckets are ready, so the sums are the
/// same with overlap on and off. From the first `ready` of a step to the end of `finish`, nobody else may use the
/// communicator. One rank alone does nothing.
/// Source: buckets and overlap as in Li et al. 2020 (arXiv:2006.15704) §3.2.
class GradientReducer {
 public:
  /// A bucket holds at least `bucket_bytes` (the last one: what is left). With overlap one thread makes all exchanges.
  GradientReducer(Communicator& communicator, ParameterStore& store, int64_t bucket_bytes, Overlap overlap);
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// The gradient of `parameter` is final in this step. Throws: Error where it was ready already.
  void ready(const Parameter& parameter);

  /// Takes all other gradients as final, waits for all sums and starts the next step; returns the seconds it took.
  /// Throws: what an exchange threw.
  double finish();

 private:
  struct Bucket {
    std::span<float> gradients;
    int parameters = 0;
    int unready = 0;
  };

  void cut_into_buckets(ParameterStore& store, int64_t bucket_bytes);
  void exchange_as_they_become_ready(const std::stop_token& stop);
  void await_exchanges();

  Communicator& communicator_;
  std::vector<Bucket> buckets_;
  std::vector<size_t> bucket_of_;  // by parameter

  std::mutex mutex_;  // guards all below and Bucket::unready
  std::condition_variable_any changed_;
  std::vector<bool> ready_;   // by parameter
  size_t ready_buckets_ = 0;  // leading buckets that may leave
  size_t summed_buckets_ = 0;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it stops before the rest goes
};

}  // namespace bertha
