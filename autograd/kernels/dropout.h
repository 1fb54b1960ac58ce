#pragma once

#include <cstdint>

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

/// The columns that one call of dropout_factors covers.
inline constexpr int64_t kDropoutGroup = 128;

/// factors[j] = 0 where column `group * kDropoutGroup + j` is dropped, otherwise 1 / (1 - p), for the whole group.
template <class T>
void dropout_factors(const Dropout& dropout, uint64_t row_key, uint32_t lane, int64_t group, T* factors);

/// y = x with dropout, x and y (rows, cols).
template <class T>
void dropout(const Dropout& dropout, int64_t rows, int64_t cols, const T* x, T beta, T* y);

}  // namespace bertha::kernels
