#pragma once

#include "autograd/core/dtype.h"

namespace bertha::kernels {

/// Floating-point operations a second that the threads of this process reach with nothing but float fused multiply-adds
/// on registers, or for bf16 its dot products: the limit that MFU is a share of. Takes 0.2 s.
double measure_peak(DType dtype);

}  // namespace bertha::kernels
