#include "data/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "autograd/core/error.h"

namespace bertha {

ScratchFile::~ScratchFile() {
  if (file_ >= 0) ::close(file_);
}

void ScratchFile::create() {
  file_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (file_ >= 0) return;
  // Some file systems know no file without a name.
  std::string path = directory_ + "/.bertha-scratch-XXXXXX";
  file_ = ::mkostemp(path.data(), O_CLOEXEC);
  check<Error>(file_ >= 0, directory_, ": no scratch file can be made here: ", std::strerror(errno));
  ::unlink(path.c_str());
}

int64_t ScratchFile::append(std::span<const char> bytes) {
  const std::lock_guard lock(mutex_);
  if (file_ < 0) create();
  const int64_t begin = size_;
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), size_);
    if (written < 0 && errno == EINTR) continue;
    check<Error>(written > 0, directory_, ": scratch file cannot be written: ", std::strerror(errno));
    size_ += written;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return begin;
}

void ScratchFile::read(int64_t offset, std::span<char> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file_, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    check<Error>(got > 0, directory_,
                 ": scratch file cannot be read back: ", got < 0 ? std::strerror(errno) : "cut off");
    offset += got;
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

}  // namespace bertha
