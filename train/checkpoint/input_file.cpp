#include "train/checkpoint/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "autograd/core/error.h"

namespace bertha {

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

}  // namespace bertha
