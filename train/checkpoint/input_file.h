#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bertha {

/// A regular file, read at any offset.
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

}  // namespace bertha
