#pragma once

#include <string>

namespace bertha {

/// The right to write a run directory, held by one process at a time and given up with it, however it ends.
class RunLock {
 public:
  /// Waits a few seconds for ranks of a killed run to end. Throws Error where another run keeps writing there.
  explicit RunLock(const std::string& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace bertha
