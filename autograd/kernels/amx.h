#pragma once

#include <immintrin.h>

#include <cstdint>

namespace bertha::kernels {
namespace {  // internal linkage, for the reason isa.h gives

/// While it lives, the calling thread's eight matrix registers are tiles of 16 rows of 64 bytes, 16 x 16 floats or
/// pairs of bf16. They start as zeros.
class TileRegisters {
 public:
  __attribute__((target("amx-tile"))) TileRegisters() {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const config;
    _tile_loadconfig(&config);
  }
  __attribute__((target("amx-tile"))) ~TileRegisters() { _tile_release(); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
};

/// Whether this file is being compiled for AMX, and the registers its products need.
#ifdef __AMX_BF16__
constexpr bool kAmx = true;
using MatrixRegisters = TileRegisters;
#else
constexpr bool kAmx = false;
struct MatrixRegisters {};
#endif
constexpr int64_t kTileSide = 16;

#ifdef __AMX_BF16__
// Tiles 0 to 3 are the quarters of a result of 32 x 32 floats, row by row. Rows of matrices are `stride` floats apart.

inline void zero_result() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

inline void load_result(const float* c, int64_t stride) {
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(float));
  const float* lower = c + kTileSide * stride;
  _tile_loadd(0, c, bytes);
  _tile_loadd(1, c + kTileSide, bytes);
  _tile_loadd(2, lower, bytes);
  _tile_loadd(3, lower + kTileSide, bytes);
}

inline void store_result(float* c, int64_t stride) {
  const int64_t bytes = stride * static_cast<int64_t>(sizeof(float));
  float* lower = c + kTileSide * stride;
  _tile_stored(0, c, bytes);
  _tile_stored(1, c + kTileSide, bytes);
  _tile_stored(2, lower, bytes);
  _tile_stored(3, lower + kTileSide, bytes);
}

/// Adds the product of 32 rows of the left factor, 16 each from `upper` and `lower`, and 32 columns of the right one,
/// over `steps` times 16 pairs of bf16; from one step to the next the left one's are `step` floats on.
inline void multiply_into_result(int64_t steps, const float* upper, const float* lower, int64_t left_stride,
                                 int64_t step, const float* right, int64_t right_stride) {
  const int64_t left_bytes = left_stride * static_cast<int64_t>(sizeof(float));
  const int64_t right_bytes = right_stride * static_cast<int64_t>(sizeof(float));
  for (; steps > 0; --steps, upper += step, lower += step, right += kTileSide * right_stride) {
    _tile_loadd(4, upper, left_bytes);
    _tile_loadd(6, right, right_bytes);
    _tile_loadd(5, lower, left_bytes);
    _tile_loadd(7, right + kTileSide, right_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}
#endif

}  // namespace
}  // namespace bertha::kernels
