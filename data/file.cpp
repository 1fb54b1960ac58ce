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

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // O_NONBLOCK: a named pipe is refused below and not waited for.
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check<ConfigError>(descriptor_ >= 0, path_, ": cannot be opened: ", std::strerror(errno));
  struct stat status {};
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor_);
    fail<ConfigError>(path_, ": is not a regular file");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  close(descriptor_);
}

void InputFile::read(uint64_t offset, std::span<std::byte> out) const {
  check<DamagedFileError>(offset <= size_ && out.size() <= size_ - offset, path_, ": has ", size_, " bytes, ",
                          out.size(), " expected at offset ", offset);
  while (!out.empty()) {
    const ssize_t count = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    check<Error>(count >= 0, path_, ": cannot be read at offset ", offset, ": ", std::strerror(errno));
    check<DamagedFileError>(count > 0, path_, ": ends at offset ", offset, " (", size_, " bytes expected)");
    out = out.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

std::string read_text(const std::string& path, uint64_t limit) {
  const InputFile file(path);
  check<DamagedFileError>(file.size() <= limit, path, ": has ", file.size(), " bytes (at most ", limit, ")");
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void write_durably(const std::string& path, std::span<const std::byte> content) {
  const std::string temporary = path + ".tmp";
  if (!write_and_sync(temporary, content) || rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    fail<Error>(path, ": cannot be written (", content.size(), " bytes): ", std::strerror(error));
  }
  const std::string directory = std::filesystem::path(path).parent_path().string();
  sync_directory(directory.empty() ? "." : directory);
}

void write_durably(const std::string& path, std::string_view content) {
  write_durably(path, std::as_bytes(std::span(content)));
}

void sync_directory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check<Error>(descriptor >= 0, path, ": cannot be opened: ", std::strerror(errno));
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  // EINVAL: a file system that cannot sync directories.
  check<Error>(error == 0 || error == EINVAL, path, ": cannot be made durable: ", std::strerror(error));
}

}  // namespace bertha
