#include "data/byte_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr int64_t kSkipBytes = int64_t{1} << 20;

}  // namespace

void ByteStream::skip(int64_t bytes) {
  std::vector<char> skipped(static_cast<size_t>(std::min(bytes, kSkipBytes)));
  while (bytes > 0) {
    const auto part = std::span(skipped).first(static_cast<size_t>(std::min(bytes, kSkipBytes)));
    if (read(part) < part.size()) return;
    bytes -= std::ssize(part);
  }
}

FileStream::FileStream(std::string path)
    : path_(std::move(path)), descriptor_(open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  check<ConfigError>(descriptor_ >= 0, path_, ": cannot be opened: ", std::strerror(errno));
  if (!std::filesystem::is_directory(path_)) return;
  close(descriptor_);
  fail<ConfigError>(path_, ": is a directory (expected a file)");
}

FileStream::~FileStream() {
  close(descriptor_);
}

size_t FileStream::read(std::span<char> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t bytes = ::read(descriptor_, out.data() + done, out.size() - done);
    if (bytes < 0 && errno == EINTR) continue;
    check<Error>(bytes >= 0, path_, ": cannot be read: ", std::strerror(errno));
    if (bytes == 0) break;
    done += static_cast<size_t>(bytes);
  }
  return done;
}

void FileStream::skip(int64_t bytes) {
  if (lseek(descriptor_, bytes, SEEK_CUR) < 0) ByteStream::skip(bytes);  // a pipe has no place to go to
}

}  // namespace bertha
