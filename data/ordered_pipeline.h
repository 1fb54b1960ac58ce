#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "autograd/core/parallel.h"

namespace bertha {

/// Does n pieces of work on `threads` threads: read(i, slot) one at a time in the order of i from 0, then
/// produce(i, slot) at once, then consume(i, slot) again one at a time in the order of i, so that what is read and
/// consumed does not depend on the threads. A thread has one Slot, which it uses again and again. Ends early with the
/// exception of the smallest i that failed.
template <class Slot, class Read, class Produce, class Consume>
void ordered_pipeline(int64_t n, int64_t threads, Read&& read, Produce&& produce, Consume&& consume) {
  std::mutex read_mutex, consume_mutex;
  std::condition_variable turn_changed;
  int64_t next = 0;
  int64_t turn = 0;
  std::exception_ptr failure;

  const auto read_next = [&](Slot& slot, int64_t& i, std::exception_ptr& error) {
    const std::lock_guard lock(read_mutex);
    if (next >= n) return false;
    i = next++;
    try {
      read(i, slot);
    } catch (...) {
      error = std::current_exception();
      next = n;
    }
    return true;
  };
  const auto work = [&] {
    Slot slot{};
    std::exception_ptr error;
    for (int64_t i = 0; read_next(slot, i, error);) {
      try {
        if (!error) produce(i, slot);
      } catch (...) {
        error = std::current_exception();
      }
      std::unique_lock lock(consume_mutex);
      turn_changed.wait(lock, [&] { return turn == i || failure; });
      if (failure) return;
      try {
        if (error) std::rethrow_exception(error);
        consume(i, slot);
      } catch (...) {
        failure = std::current_exception();
      }
      ++turn;
      turn_changed.notify_all();
      if (failure) return;
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int64_t thread = 0; thread < std::min(threads, n); ++thread) {
      workers.emplace_back([&work] {
        use_all_processors();
        work();
      });
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bertha
