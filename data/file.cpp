#include "data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "autograd/core/error.h"

namespace bertha {
namespace {

int open_for_reading(const std::string& path) {
  // Without O_NONBLOCK a named pipe would hang here, before it can be refused.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check<ConfigError>(descriptor >= 0, path, ": cannot be opened: ", std::strerror(errno));
  return descriptor;
}

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

bool write_and_sync(const std::string& path, std::span<const std::byte> bytes) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return false;
  const bool written = write_all(descriptor, bytes) && fsync(descriptor) == 0;
  const int write_error = errno;
  const bool closed = close(descriptor) == 0;
  if (!written) errno = write_error;
  return written && closed;
}

bool sync_directory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  // Some file systems have no syncing of directories, and say EINVAL.
  const bool synced = fsync(descriptor) == 0 || errno == EINVAL;
  close(descriptor);
  return synced;
}

}  // namespace

RandomAccessFile::RandomAccessFile(std::string path) : path_(std::move(path)), descriptor_(open_for_reading(path_)) {
  struct stat status {};
  const bool regular = fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (!regular) close(descriptor_);
  check<ConfigError>(regular, path_, ": not a regular file");
  size_ = status.st_size;
}

RandomAccessFile::~RandomAccessFile() {
  close(descriptor_);
}

void RandomAccessFile::read(int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t bytes = pread(descriptor_, out.data(), out.size(), offset);
    if (bytes < 0 && errno == EINTR) continue;
    check<Error>(bytes >= 0, path_, ": cannot be read at byte ", offset, ": ", std::strerror(errno));
    check<Error>(bytes > 0, path_, ": ends at byte ", offset, ", it had ", size_, " bytes when it was opened");
    offset += bytes;
    out = out.subspan(static_cast<size_t>(bytes));
  }
}

void write_durably(const std::string& path, std::span<const std::byte> bytes) {
  const std::string temporary = path + ".tmp";
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const bool published = write_and_sync(temporary, bytes) && rename(temporary.c_str(), path.c_str()) == 0 &&
                         sync_directory(directory.empty() ? "." : directory);
  if (published) return;
  const int error = errno;
  unlink(temporary.c_str());
  fail<Error>(path, ": cannot be written (", bytes.size(), " bytes): ", std::strerror(error));
}

}  // namespace bertha
