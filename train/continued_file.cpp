#include "train/continued_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "autograd/core/error.h"
#include "data/file.h"

namespace bertha {

ContinuedFile::ContinuedFile(std::string path, int64_t kept) : path_(std::move(path)), empty_(kept == 0) {
  // O_NONBLOCK: a named pipe is an error and not waited for.
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  const bool ready =
      descriptor_ >= 0 && ftruncate(descriptor_, kept) == 0 && lseek(descriptor_, kept, SEEK_SET) == kept;
  check<Error>(ready, path_, ": cannot be written: ", std::strerror(errno));
  sync_directory(parent_directory(path_));
}

ContinuedFile::~ContinuedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void ContinuedFile::append(std::string_view record) {
  write_all(descriptor_, path_, std::as_bytes(std::span(record)));
  empty_ = false;
}

void ContinuedFile::sync() {
  const bool synced = fsync(descriptor_) == 0;
  check<Error>(synced, path_, ": cannot be made durable: ", std::strerror(errno));
}

}  // namespace bertha
