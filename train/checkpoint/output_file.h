#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "data/checksum.h"
#include "data/file.h"
#include "train/checkpoint/manifest.h"

namespace bertha {

/// A NewFile that is checksummed on the way.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Elements that the manifest knows by the tensor's name.
  void write_tensor(const std::string& name, std::span<const std::byte> elements);
  /// In bytes, so far.
  uint64_t size() const { return record_.bytes; }

  /// Makes the content durable and closes the file. The record's name is the file's own, without its folder.
  FileRecord finish();

 private:
  void append(std::span<const std::byte> bytes, Checksum& part);

  NewFile file_;
  Checksum whole_, between_;
  FileRecord record_;
};

}  // namespace bertha
