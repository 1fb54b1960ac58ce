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

}  // namespace
}  // namespace bertha::kernels
