#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace bertha {

/// A regular file, read at any offset; safe to share between threads.
/// Throws ConfigError where it cannot be opened, Error where reading fails or the file became shorter.
class RandomAccessFile {
 public:
  explicit RandomAccessFile(std::string path);
  ~RandomAccessFile();
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  const std::string& path() const { return path_; }
  /// In bytes, when it was opened.
  int64_t size() const { return size_; }

  void read(int64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

/// Writes a file that is whole or absent, whatever happens: under a temporary name, synced, then renamed. Throws Error
/// naming the file, and leaves what was there before, where the disk is full or fails.
void write_durably(const std::string& path, std::span<const std::byte> bytes);

}  // namespace bertha
