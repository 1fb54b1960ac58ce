#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bertha {

/// A file that grows record by record over several starts of a run. A record is written at once, so a crash tears at
/// most the last.
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

 private:
  std::string path_;
  int descriptor_ = -1;
  bool empty_;
};

}  // namespace bertha
