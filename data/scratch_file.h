#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

namespace bertha {

/// A file without a name: it vanishes with the process, however that ends. Made when it is first written. Thread-safe.
class ScratchFile {
 public:
  explicit ScratchFile(std::string directory) : directory_(std::move(directory)) {}
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Where in the file `bytes` were put. Throws Error where they cannot be written.
  int64_t append(std::span<const char> bytes);
  /// Throws Error where the bytes cannot be read.
  void read(int64_t offset, std::span<char> bytes) const;

 private:
  void create();

  std::string directory_;
  std::mutex mutex_;
  int file_ = -1;
  int64_t size_ = 0;
};

}  // namespace bertha
