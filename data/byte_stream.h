#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "data/file.h"

namespace bertha {

/// Bytes from front to back.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Fills `out` and says how far: less than all of it only where the bytes end.
  virtual size_t read(std::span<char> out) = 0;
  /// Goes on as if the next `bytes` had been read.
  virtual void skip(int64_t bytes);
};

/// A regular file's bytes as they are. Throws what InputFile throws.
class FileStream : public ByteStream {
 public:
  explicit FileStream(std::string path) : file_(std::move(path)) {}

  size_t read(std::span<char> out) override;
  void skip(int64_t bytes) override { offset_ += static_cast<uint64_t>(bytes); }

 private:
  InputFile file_;
  uint64_t offset_ = 0;
};

}  // namespace bertha
