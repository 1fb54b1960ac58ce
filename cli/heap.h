#pragma once

#include <malloc.h>

namespace bertha {

/// Gives buffers of a mebibyte and more back to the system as they are freed. By default they soon come to lie in the
/// heap, where the holes that they leave let the peak of a long run creep up.
inline void return_large_buffers() {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

}  // namespace bertha
