#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <vector>

#include "autograd/core/parallel.h"

namespace bertha {

/// How many elements of a tensor are in memory at a time, for each thread.
inline constexpr int64_t kElementsPerBlock = int64_t{1} << 13;

inline int64_t blocks_of(int64_t elements) {
  return (elements + kElementsPerBlock - 1) / kElementsPerBlock;
}

/// Calls f(block, first, count, thread) for each block of `elements` elements, on all threads: its number, its first
/// element, how many there are, and the number of the thread, below num_threads(). What a call throws is thrown on.
template <class F>
void for_each_block(int64_t elements, F&& f) {
  constexpr int64_t kGrain = 64;
  std::vector<std::exception_ptr> failures(static_cast<size_t>(num_threads()));
  parallel_for(blocks_of(elements), kGrain, [&](int64_t begin, int64_t end) {
    const int thread = thread_index();
    try {
      for (int64_t block = begin; block < end && !failures[thread]; ++block) {
        const int64_t first = block * kElementsPerBlock;
        f(block, first, std::min(kElementsPerBlock, elements - first), thread);
      }
    } catch (...) {
      failures[thread] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace bertha
