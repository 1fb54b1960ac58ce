#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "data/checksum.h"
#include "train/checkpoint/manifest.h"

namespace bertha {

/// A new file, written from front to back and checksummed on the way. Every failed or short write is an Error that
/// names the file; the file does not exist before and is worth nothing until `finish` returned.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Elements that the manifest knows by the tensor's name.
  void write_tensor(const std::string& name, std::span<const float> values);
  /// In bytes, so far.
  uint64_t size() const { return record_.bytes; }

  /// Makes the content durable and closes the file. The record's name is the file's own, without its folder.
  FileRecord finish();

 private:
  void append(std::span<const std::byte> bytes, Checksum& part);

  std::string path_;
  int descriptor_ = -1;
  Checksum whole_, between_;
  FileRecord record_;
};

}  // namespace bertha
