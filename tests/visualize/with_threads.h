#pragma once

#include <omp.h>

#include <utility>

#include "autograd/core/parallel.h"

namespace bertha {

/// What f() returns where parallel regions use so many threads.
template <class F>
auto with_threads(int threads, F&& f) {
  const int before = num_threads();
  omp_set_num_threads(threads);
  auto result = std::forward<F>(f)();
  omp_set_num_threads(before);
  return result;
}

}  // namespace bertha
