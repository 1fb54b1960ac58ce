#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// A file that grows record by record over several starts of a run. A record is written at once, so the end of
/// the process tears at most the last; a failing machine may take those since the last `sync`.
class ContinuedFile {
 public:
  /// Opens or makes `path`, cut to its first `kept` bytes. Throws Error where it cannot be written.
  ContinuedFile(std::string path, int64_t kept);
  ~ContinuedFile();
  ContinuedFile(const ContinuedFile&) = delete;
  ContinuedFile& operator=(const ContinuedFile&) = delete;

  bool empty() const { return empty_; }

  /// Throws Error where it cannot be written whole.
  void append(std::string_view record);

  /// Makes all records durable. Throws Error.
  void sync();

 private:
  std::string path_;
  int descriptor_ = -1;
  bool empty_;
};

}  // namespace bertha
