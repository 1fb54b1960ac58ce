#include "train/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

RunLock::RunLock(const std::string& directory) {
  const std::string path = directory + "/.lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  check<Error>(descriptor_ >= 0, path, ": cannot be written (", std::strerror(errno), ")");
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() > end) {
      const int cause = errno;
      close(descriptor_);
      fail<Error>(directory, ": another run is writing there (", std::strerror(cause), ")");
    }
    std::this_thread::sleep_for(kPause);
  }
}

RunLock::~RunLock() {
  close(descriptor_);
}

}  // namespace bertha
