#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bertha {

/// A regular file, read at any offset; safe to share between threads.
/// Throws:  ConfigError where it cannot be opened, DamagedFileError where it ends before a range, Error where reading
///          fails.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// In bytes, when it was opened.
  uint64_t size() const { return size_; }

  void read(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

/// The whole of a small file; DamagedFileError beyond `limit` bytes, for a file may be anything.
std::string read_text(const std::string& path, uint64_t limit);

/// Gives a file new content, or leaves the old, whatever happens: under a temporary name, synced, then renamed. Throws
/// Error naming the file where the disk is full or fails.
void write_durably(const std::string& path, std::span<const std::byte> content);
void write_durably(const std::string& path, std::string_view content);

/// Makes the names in a directory durable. Throws Error.
void sync_directory(const std::string& path);

}  // namespace bertha
