#include "train/checkpoint/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "autograd/core/error.h"

namespace bertha {
namespace {

// Small enough to stay in cache between the two checksums and the copy into the page cache.
constexpr size_t kBlock = size_t{1} << 20;

}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  check<Error>(descriptor_ >= 0, path_, ": cannot be created: ", std::strerror(errno));
  record_.name = std::filesystem::path(path_).filename();
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  append(bytes, between_);
}

void OutputFile::write_tensor(const std::string& name, std::span<const float> values) {
  Checksum own;
  const uint64_t offset = record_.bytes;
  append(std::as_bytes(values), own);
  record_.tensors.push_back({name, offset, values.size_bytes(), own.value()});
}

void OutputFile::append(std::span<const std::byte> bytes, Checksum& part) {
  while (!bytes.empty()) {
    const auto block = bytes.first(std::min(kBlock, bytes.size()));
    const ssize_t count = ::write(descriptor_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    check<Error>(count > 0, path_, ": cannot be written: ", count == 0 ? "nothing was taken" : std::strerror(errno));
    const auto written = block.first(static_cast<size_t>(count));
    whole_.update(written);
    part.update(written);
    record_.bytes += written.size();
    bytes = bytes.subspan(written.size());
  }
}

FileRecord OutputFile::finish() {
  const bool synced = fsync(descriptor_) == 0;
  check<Error>(synced, path_, ": cannot be made durable: ", std::strerror(errno));
  const bool closed = close(std::exchange(descriptor_, -1)) == 0;
  check<Error>(closed, path_, ": cannot be closed: ", std::strerror(errno));
  record_.checksum = whole_.value();
  record_.checksum_between = between_.value();
  return std::move(record_);
}

}  // namespace bertha
