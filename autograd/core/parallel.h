#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bertha {

/// Threads a parallel region of the calling thread will use.
inline int num_threads() {
  return omp_get_max_threads();
}

/// Whether each thread stays on cores of its own (OMP_PROC_BIND).
inline bool threads_are_pinned() {
  return omp_get_proc_bind() != omp_proc_bind_false;
}

/// The processors this process may use, rising: those of all places where threads are pinned to one each, else those
/// that the system allows. Empty where it does not say.
std::vector<int> usable_processors();

/// Lets the calling thread run on all of them. A thread that is made by a pinned one would share its place.
void use_all_processors();

/// Parallel regions of the calling thread use it alone.
inline void use_one_thread() {
  omp_set_num_threads(1);
}

/// The calling thread's number within its parallel region, from 0.
inline int thread_index() {
  return omp_get_thread_num();
}

/// Calls f(begin, end) over disjoint ranges that cover [0, n), on all threads. Ranges start at multiples of `grain` and
/// are handed out dynamically, so f must not let its result depend on where a range begins.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
  const int64_t chunks = (n + grain - 1) / grain;
  if (chunks <= 1 || omp_in_parallel() || num_threads() == 1) {
    if (n > 0) f(int64_t{0}, n);
    return;
  }
#pragma omp parallel for schedule(dynamic)
  for (int64_t chunk = 0; chunk < chunks; ++chunk) f(chunk * grain, std::min(n, (chunk + 1) * grain));
}

}  // namespace bertha
