#include "train/checkpoint/output_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace bertha {
namespace {

// Small enough to stay in cache between the two checksums and the copy into the page cache.
constexpr size_t kBlock = size_t{1} << 20;

}  // namespace

OutputFile::OutputFile(const std::string& path) : file_(path) {
  record_.name = std::filesystem::path(path).filename();
}

void OutputFile::write(std::span<const std::byte> bytes) {
  append(bytes, between_);
}

void OutputFile::write_tensor(const std::string& name, std::span<const std::byte> elements) {
  Checksum own;
  const uint64_t offset = record_.bytes;
  append(elements, own);
  record_.tensors.push_back({name, offset, elements.size(), own.value()});
}

void OutputFile::append(std::span<const std::byte> bytes, Checksum& part) {
  while (!bytes.empty()) {
    const auto block = bytes.first(std::min(kBlock, bytes.size()));
    file_.write(block);
    whole_.update(block);
    part.update(block);
    record_.bytes += block.size();
    bytes = bytes.subspan(block.size());
  }
}

FileRecord OutputFile::finish() {
  file_.finish();
  record_.checksum = whole_.value();
  record_.checksum_between = between_.value();
  return std::move(record_);
}

}  // namespace bertha
