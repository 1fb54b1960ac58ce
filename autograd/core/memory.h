#pragma once

#include <cstddef>
#include <memory>

namespace bertha {

/// Memory for tensors, 64-byte aligned, kept in size classes after release so that a steady step neither calls the
/// operating system nor faults pages in. Thread-safe. Uninitialised; filled with NaN in debug builds.
std::shared_ptr<std::byte> allocate(size_t bytes);

/// Bytes handed out now, and the most at any time since the process started; size-class rounding included. With idle
/// blocks the process keeps at most an eighth more than that peak.
struct MemoryUse {
  size_t current_bytes = 0;
  size_t peak_bytes = 0;
  size_t kept_bytes = 0;  // handed out or idle
};
MemoryUse memory_use();

}  // namespace bertha
