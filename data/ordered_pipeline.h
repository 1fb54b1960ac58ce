#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace bertha {

/// Calls produce(i) for i in [0, n) on `threads` threads at once, and consume(i, its result) one at a time in the order
/// of i, so that what consume sees does not depend on the threads. At most `threads` results exist at a time. Ends
/// early with the exception of the smallest i that failed.
template <class Produce, class Consume>
void ordered_pipeline(int64_t n, int64_t threads, Produce&& produce, Consume&& consume) {
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::condition_variable turn_changed;
  int64_t turn = 0;
  std::exception_ptr failure;

  const auto work = [&] {
    for (int64_t i = next++; i < n; i = next++) {
      std::optional<std::invoke_result_t<Produce&, int64_t>> result;
      std::exception_ptr error;
      try {
        result = produce(i);
      } catch (...) {
        error = std::current_exception();
      }
      std::unique_lock lock(mutex);
      turn_changed.wait(lock, [&] { return turn == i || failure; });
      if (failure) return;
      try {
        if (error) std::rethrow_exception(error);
        consume(i, std::move(*result));
      } catch (...) {
        failure = std::current_exception();
      }
      ++turn;
      turn_changed.notify_all();
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int64_t thread = 0; thread < std::min(threads, n); ++thread) workers.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bertha
