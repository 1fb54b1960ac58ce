#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

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

/// A file's bytes as they are. Throws ConfigError where it cannot be opened or is a directory, Error where reading
/// fails.
class FileStream : public ByteStream {
 public:
  explicit FileStream(std::string path);
  ~FileStream() override;
  FileStream(const FileStream&) = delete;
  FileStream& operator=(const FileStream&) = delete;

  size_t read(std::span<char> out) override;
  void skip(int64_t bytes) override;

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace bertha
