#include "train/premasked_child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <vector>

#include "autograd/core/error.h"
#include "autograd/core/exit_code.h"
#include "data/premasked_set.h"
#include "data/shard_manifest.h"
#include "train/comm/rank_record.h"

extern char** environ;

namespace bertha {
namespace {

// Of a sound file of any size, and for each MiB; a slow disk takes its time, and values are compressed.
constexpr rlim_t kProcessorSeconds = 20, kProcessorSecondsPerMib = 1;
constexpr unsigned kSeconds = 120, kSecondsPerMib = 4;
constexpr rlim_t kMemoryBytes = rlim_t{256} << 20, kMemoryPerByte = 4;

constexpr int kExitNoMemory = 5;  // of the child alone

// ---- The child

void limit(__rlimit_resource resource, rlim_t value) {
  rlimit limits = {};
  getrlimit(resource, &limits);
  limits.rlim_cur = std::min(value, limits.rlim_max);
  setrlimit(resource, &limits);
}

/// Of address space, libraries included.
rlim_t bytes_in_use() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

void take_limits(uintmax_t file_bytes) {
  const uintmax_t mib = file_bytes >> 20;
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kProcessorSeconds + kProcessorSecondsPerMib * mib);
  limit(RLIMIT_AS, bytes_in_use() + kMemoryBytes + kMemoryPerByte * file_bytes);
  alarm(static_cast<unsigned>(std::min<uintmax_t>(kSeconds + kSecondsPerMib * mib, 1u << 30)));
}

struct Answer {
  int code;
  std::string sentence;
};

Answer answer_for(const std::string& path, int64_t vocabulary_size, Objective objective) {
  try {
    check_premasked_file(path, vocabulary_size, objective);
    return {kExitDone, ""};
  } catch (const DamagedFileError& error) {
    const bool whole = std::string_view(error.what()).starts_with(path + ": ");  // there was memory to write it
    return whole ? Answer{kExitDamagedFile, error.what()} : Answer{kExitNoMemory, ""};
  } catch (const std::bad_alloc&) {
    return {kExitNoMemory, ""};
  } catch (const std::exception& error) {
    return {exit_code_of(error), error.what()};
  }
}

// ---- The parent

/// One end closes with it, so that reading the other ends.
class Pipe {
 public:
  Pipe() {
    const bool made = pipe2(ends_.data(), O_CLOEXEC) == 0;
    check<Error>(made, "pipe: cannot be made: ", std::strerror(errno));
  }
  ~Pipe() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int write_end() const { return ends_[1]; }

  /// Everything that the child writes, as far as anybody wants to see it. Until it comes this process gets on, for the
  /// child has limits of its own.
  std::string read_all() {
    constexpr size_t kMost = 4096;
    constexpr int kTickMs = 1000;
    close(ends_[1]);
    ends_[1] = -1;
    for (pollfd end = {ends_[0], POLLIN, 0}; poll(&end, 1, kTickMs) <= 0;) ++own_record().marks;
    std::string text;
    std::array<char, kMost> buffer;
    for (ssize_t bytes = 0; (bytes = read(ends_[0], buffer.data(), buffer.size())) != 0;) {
      if (bytes < 0 && errno != EINTR) break;
      if (bytes > 0) text.append(buffer.data(), std::min(static_cast<size_t>(bytes), kMost - text.size()));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{};
};

/// Without what would make the child take itself for a rank of the run.
std::vector<char*> environment_of_child() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view text = *variable;
    if (!text.starts_with("OMPI_") && !text.starts_with("PMIX_") && !text.starts_with("PMI_"))
      variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

pid_t start(std::vector<std::string> words, int output) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A group of its own: what stops a run from the keyboard is the parent's to answer.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, "/proc/self/exe", &actions, &attributes, arguments.data(), environment_of_child().data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  check<Error>(error == 0, "process: cannot be started: ", std::strerror(error));
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    check<Error>(errno == EINTR, "process: cannot be waited for: ", std::strerror(errno));
  return status;
}

[[noreturn]] void report_signal(const std::string& path, int signal) {
  if (signal == SIGXCPU || signal == SIGALRM)
    fail<DamagedFileError>(path, ": reading it takes longer than any sound file of its size");
  fail<DamagedFileError>(path, ": the HDF5 library crashes reading it (signal ", signal, ", ", strsignal(signal), ")");
}

}  // namespace

void run_premasked_child(const std::string& path, int64_t vocabulary_size, Objective objective) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::error_code error;
  take_limits(std::max<uintmax_t>(std::filesystem::file_size(path, error), 1));
  const Answer answer = answer_for(path, vocabulary_size, objective);
  std::fputs(answer.sentence.c_str(), stdout);
  std::fflush(stdout);
  std::_Exit(answer.code);
}

void check_premasked_in_child(const std::string& path, int64_t vocabulary_size, Objective objective) {
  Pipe output;
  const pid_t child = start(
      {"bertha", std::string(kPremaskedChildCommand), path, std::to_string(vocabulary_size), to_string(objective)},
      output.write_end());
  const std::string sentence = output.read_all();
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) report_signal(path, WTERMSIG(status));
  switch (WEXITSTATUS(status)) {
    case kExitDone:
      return;
    case kExitConfiguration:
      fail<ConfigError>(sentence);
    case kExitDamagedFile:
      fail<DamagedFileError>(sentence);
    case kExitMismatch:
      fail<MismatchError>(sentence);
    case kExitNoMemory:
      fail<DamagedFileError>(path, ": reading it takes more memory than any sound file of its size");
    default:
      fail<DamagedFileError>(path, ": cannot be read", sentence.empty() ? "" : ": ", sentence);
  }
}

}  // namespace bertha
