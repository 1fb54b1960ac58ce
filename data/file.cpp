#include "data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "autograd/core/error.h"

namespace bertha {
namespace {

// What opening a file may meet that is no fault of who named it.
bool is_failure_of_the_system(int error) {
  return error == EIO || error == ENOMEM || error == EMFILE || error == ENFILE;
}

std::filesystem::file_status status_of(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  check<ConfigError>(std::filesystem::status_known(status), path, ": cannot be looked at: ", error.message());
  return status;
}

}  // namespace

std::string unfinished_name(const std::string& path) {
  return path + ".tmp";
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // O_NONBLOCK: a named pipe is refused below and not waited for.
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const int error = errno;
  check<Error>(descriptor_ >= 0 || !is_failure_of_the_system(error), path_,
               ": cannot be opened: ", std::strerror(error));
  check<ConfigError>(descriptor_ >= 0, path_, ": cannot be opened: ", std::strerror(error));
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

NewFile::NewFile(std::string path) : path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  check<Error>(descriptor_ >= 0, path_, ": cannot be created: ", std::strerror(errno));
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void NewFile::write(std::span<const std::byte> bytes) {
  write_all(descriptor_, path_, bytes);
}

void NewFile::finish() {
  const bool synced = fsync(descriptor_) == 0;
  check<Error>(synced, path_, ": cannot be made durable: ", std::strerror(errno));
  const bool closed = close(std::exchange(descriptor_, -1)) == 0;
  check<Error>(closed, path_, ": cannot be closed: ", std::strerror(errno));
}

void write_all(int descriptor, const std::string& path, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    check<Error>(count > 0, path, ": cannot be written: ", count == 0 ? "nothing was taken" : std::strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void write_durably(const std::string& path, std::span<const std::byte> content) {
  remove_unfinished(path);
  const std::string temporary = unfinished_name(path);
  try {
    NewFile file(temporary);
    file.write(content);
    file.finish();
    rename_into_place(temporary, path);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  sync_directory(parent_directory(path));
}

void write_durably(const std::string& path, std::string_view content) {
  write_durably(path, std::as_bytes(std::span(content)));
}

void remove_file(const std::string& path) {
  const bool gone = unlink(path.c_str()) == 0 || errno == ENOENT;
  check<Error>(gone, path, ": cannot be removed: ", std::strerror(errno));
}

void remove_unfinished(const std::string& path) {
  remove_file(unfinished_name(path));
}

void rename_into_place(const std::string& from, const std::string& to) {
  const bool renamed = rename(from.c_str(), to.c_str()) == 0;
  check<Error>(renamed, to, ": cannot be put in place: ", std::strerror(errno));
}

void sync_directory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check<Error>(descriptor >= 0, path, ": cannot be opened: ", std::strerror(errno));
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  // EINVAL: a file system that cannot sync directories.
  check<Error>(error == 0 || error == EINVAL, path, ": cannot be made durable: ", std::strerror(error));
}

void make_directories(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return;
  const std::string parent = parent_directory(path);
  if (parent != path) make_directories(parent);
  const int error = mkdir(path.c_str(), 0777) == 0 ? 0 : errno;
  // Another process may have made it meanwhile.
  check<ConfigError>(error != EEXIST || std::filesystem::is_directory(path, unknown), path, ": is not a directory");
  check<Error>(error == 0 || error == EEXIST, path, ": cannot be made: ", std::strerror(error));
  sync_directory(parent);
}

bool path_exists(const std::string& path) {
  return std::filesystem::exists(status_of(path));
}

bool path_is_directory(const std::string& path) {
  return std::filesystem::is_directory(status_of(path));
}

std::string why_no_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::status_known(status)) return "cannot be looked at: " + error.message();
  if (!std::filesystem::exists(status)) return "is missing";
  return std::filesystem::is_regular_file(status) ? "" : "is not a regular file";
}

std::vector<std::string> names_of_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path, error); !error && entry != end(entry);) {
    names.push_back(entry->path().filename());
    entry.increment(error);
  }
  check<Error>(!error, path, ": cannot be read: ", error.message());
  return names;
}

std::string parent_directory(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace bertha
