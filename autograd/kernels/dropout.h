#pragma once

#include <cstdint>

#include "autograd/core/dtype.h"
#include "autograd/kernels/isa.h"

namespace bertha::kernels {

/// Which elements a dropout site drops in one step: a pure function of (seed and site, step, row key, lane, column), so
/// that nothing is stored and nothing depends on packing, threads or ranks. A lane tells apart what shares a row:
/// heads. Source: Srivastava et al. 2014; random bits from Philox4x32-10 (Salmon et al. 2011), 16 an element.
struct Dropout {
  uint64_t key = 0;  // of seed and site
  uint32_t step = 0;
  uint32_t threshold = 0;  // of 65,536 draws, how many drop; 0: no dropout
  const uint64_t* row_keys = nullptr;

  bool active() const { return threshold != 0; }
};

/// y = x with dropout, x and y (rows, cols), + beta y.
template <class Isa, class T>
void dropout(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, double beta, T* y);

}  // namespace bertha::kernels
