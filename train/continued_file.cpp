#include "train/continued_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "autograd/core/error.h"

namespace bertha {

ContinuedFile::ContinuedFile(std::string path, int64_t kept) : path_(std::move(path)), empty_(kept == 0) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  const bool ready =
      descriptor_ >= 0 && ftruncate(descriptor_, kept) == 0 && lseek(descriptor_, kept, SEEK_SET) == kept;
  check<Error>(ready, path_, ": cannot be written (", std::strerror(errno), ")");
}

ContinuedFile::~ContinuedFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void ContinuedFile::append(std::string_view record) {
  const ssize_t written = write(descriptor_, record.data(), record.size());
  check<Error>(written == static_cast<ssize_t>(record.size()), path_, ": cannot be written (",
               written < 0 ? std::strerror(errno) : "the disk is full", ")");
  empty_ = false;
}

}  // namespace bertha
