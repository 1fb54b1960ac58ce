#pragma once

namespace bertha::kernels {

/// Floating-point operations a second that the threads of this process reach with nothing but float fused multiply-adds
/// on registers: the limit that MFU is a share of. Takes about 50 ms.
double measure_fma_peak();

}  // namespace bertha::kernels
