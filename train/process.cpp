#include "train/process.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace bertha {
namespace {

// Of linux/pidfd.h since Linux 6.15, with the fields of its first version.
struct PidfdInfo {
  uint64_t mask, control_group;
  std::array<uint32_t, 11> ids;
  int32_t exit_code;
};
constexpr uint64_t kExitMask = 1 << 3;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xFF, 11, PidfdInfo);

// While its parent has not asked for it, the last of 52 fields, of which the second is a name in parentheses.
int status_of_zombie(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text, '\0');  // fails, and does not throw as a buffer would, where somebody asks meanwhile
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  const std::vector<std::string> values(std::istream_iterator<std::string>(fields), {});
  const bool ended = values.size() >= 50 && (values[0] == "Z" || values[0] == "X");
  return ended ? std::atoi(values[49].c_str()) : -1;
}

int status_of_reaped(int descriptor) {
  PidfdInfo info = {};
  info.mask = kExitMask;
  const bool known = ioctl(descriptor, kPidfdGetInfo, &info) == 0 && (info.mask & kExitMask);
  return known ? info.exit_code : -1;
}

}  // namespace

double peak_rss_mib() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::string ranges_text(const std::vector<int>& numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += fmt::format("{}{}", i > 0 ? "," : "", numbers[i]);
    if (last > i) text += fmt::format("-{}", numbers[last]);
    i = last;
  }
  return text;
}

std::string end_text(int status) {
  return WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status))
                             : fmt::format("exited with code {}", WEXITSTATUS(status));
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int open_process(int pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

int64_t out_of_memory_kills() {
  std::ifstream file("/proc/vmstat");
  int64_t value = 0;
  for (std::string name; file >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

// Its parent may ask for it, and so let it vanish, at any moment.
int end_status(int pid, int descriptor) {
  const int status = status_of_zombie(pid);
  return status >= 0 ? status : status_of_reaped(descriptor);
}

}  // namespace bertha
