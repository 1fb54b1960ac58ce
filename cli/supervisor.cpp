#include "cli/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "autograd/core/error.h"
#include "autograd/core/exit_code.h"
#include "train/checkpoint/checkpoint.h"
#include "train/metrics.h"
#include "train/process.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kFirstPause{1}, kLongestPause{60};
constexpr milliseconds kLastWords{2000};  // for what the child's own children still write
constexpr std::string_view kVoice = "bertha: ";

// ---- How far a run has come ----

struct History {
  int64_t steps = 0;        // of all its seeds
  std::string checkpoints;  // the newest of each
  std::optional<fs::file_time_type> written;
};

History history_of(const std::string& output) {
  std::error_code error;
  std::vector<fs::path> runs = {output};
  for (const fs::directory_entry& entry : fs::directory_iterator(output, error)) {
    if (entry.path().filename().native().starts_with("seed-")) runs.push_back(entry.path());
  }
  History history;
  for (const fs::path& run : runs) {
    const fs::file_time_type written = fs::last_write_time(run / "metrics.jsonl", error);
    if (error) continue;
    history.steps += last_metrics_step(run);
    history.checkpoints += latest_checkpoint(run / "checkpoints") + "\n";
    history.written = std::max(history.written.value_or(written), written);
  }
  return history;
}

// ---- The child ----

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text += '\'';
}

std::string shell_line(const std::string& launch, const std::vector<std::string>& command) {
  std::string line = launch.empty() ? "exec" : "exec env " + launch;  // which may begin with variables
  for (const std::string& word : command) line.append(" ").append(quoted(word));
  return line;
}

// While one lives, these signals wait to be read instead of ending the process.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    std::signal(SIGCHLD, SIG_DFL);  // who started us may have ignored it, and with it the ends of our children
    for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD}) sigaddset(&set_, number);
    sigprocmask(SIG_BLOCK, &set_, &before_);
    descriptor_ = signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
    check<Error>(descriptor_ >= 0, "--supervise: ", std::strerror(errno));
  }
  ~Signals() {
    close(descriptor_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int descriptor() const { return descriptor_; }
  const sigset_t& before() const { return before_; }

  /// The next one that has come; 0 where none has.
  int next() const {
    signalfd_siginfo info = {};
    return read(descriptor_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  sigset_t set_{}, before_{};
  int descriptor_;
};

// What passes through to stderr; of it, the last line that says why the run failed.
class LastWords {
 public:
  void pass(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    for (const char c : text) {
      if (c == '\n') {
        if (line_.starts_with(kVoice) && !line_.starts_with("bertha: warning")) cause_ = line_.substr(kVoice.size());
        line_.clear();
      } else if (line_.size() < kLongest) {
        line_ += c;
      }
    }
  }
  const std::string& cause() const { return cause_; }

 private:
  static constexpr size_t kLongest = 4096;
  std::string line_, cause_;
};

struct ChildEnd {
  int exit_code = 0;
  std::string cause;
  bool stopped = false;  // a signal was passed on
};

class Child {
 public:
  Child(const std::string& line, const Signals& signals, int stop_signal)
      : signals_(signals), stop_signal_(stop_signal) {
    std::array<int, 2> ends = {};
    const bool made = pipe2(ends.data(), O_CLOEXEC) == 0;
    check<Error>(made, "--supervise: ", std::strerror(errno));
    const pid_t parent = getpid();
    process_ = fork();
    check<Error>(process_ >= 0, "--supervise: ", std::strerror(errno));
    if (process_ == 0) become(line, ends[1], parent);
    setpgid(process_, process_);
    close(ends[1]);
    output_ = ends[0];
  }
  ~Child() {
    if (output_ >= 0) close(output_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ChildEnd wait() {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(process_, &status, WNOHANG)) == 0) pass_on();
    check<Error>(ended == process_, "--supervise: the run cannot be waited for: ", std::strerror(errno));
    drain();
    kill(-process_, SIGKILL);  // whatever it left of its group
    // Where it had not begun to listen there was nothing to save.
    const bool before_listening = WIFSIGNALED(status) && WTERMSIG(status) == passed_on_;
    return {before_listening ? kExitDone : exit_code_of(status),
            words_.cause().empty() ? end_text(status) : words_.cause(), passed_on_ != 0};
  }

 private:
  // A group of its own, so that a terminal's signals come once, and an end with its parent's.
  [[noreturn]] void become(const std::string& line, int errors, pid_t parent) const {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    sigprocmask(SIG_SETMASK, &signals_.before(), nullptr);
    dup2(errors, STDERR_FILENO);
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }

  void pass_on() {
    std::array<pollfd, 2> polled = {{{signals_.descriptor(), POLLIN, 0}, {output_, POLLIN, 0}}};
    poll(polled.data(), polled.size(), -1);
    if (polled[1].revents != 0 && !read_output()) close(std::exchange(output_, -1));
    for (int number = signals_.next(); number != 0; number = signals_.next()) {
      if (number == SIGCHLD) continue;
      passed_on_ = stop_signal_ ? stop_signal_ : number;
      kill(process_, passed_on_);
    }
  }

  // False at the end of all output.
  bool read_output() {
    std::array<char, 4096> buffer;
    const ssize_t count = read(output_, buffer.data(), buffer.size());
    if (count <= 0) return false;
    words_.pass({buffer.data(), static_cast<size_t>(count)});
    return true;
  }

  void drain() {
    for (const auto end = Clock::now() + kLastWords; output_ >= 0 && Clock::now() < end;) {
      pollfd polled = {output_, POLLIN, 0};
      if (poll(&polled, 1, 100) > 0 && !read_output()) return;
    }
  }

  const Signals& signals_;
  const int stop_signal_;  // instead of those that come; 0: the same
  pid_t process_ = -1;
  int output_ = -1;
  LastWords words_;
  int passed_on_ = 0;  // the last stop signal
};

// ---- When to try again ----

// A usage error stays one, and so do a shell's not finding a command and files that were refused before any step.
bool is_final(int exit_code, bool trained) {
  const bool refused = exit_code == kExitDamagedFile || exit_code == kExitMismatch;
  return exit_code == kExitConfiguration || exit_code == 126 || exit_code == 127 || (!trained && refused);
}

// False where a stop signal ends the pause.
bool pause_for(std::chrono::seconds length, const Signals& signals) {
  const auto end = Clock::now() + length;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    pollfd polled = {signals.descriptor(), POLLIN, 0};
    poll(&polled, 1, static_cast<int>(std::chrono::ceil<milliseconds>(end - now).count()));
    for (int number = signals.next(); number != 0; number = signals.next()) {
      if (number != SIGCHLD) return false;
    }
  }
  return true;
}

void say(const std::string& sentence) {
  fmt::print(stderr, "{}{}\n", kVoice, sentence);
}

}  // namespace

int supervise(const Supervision& supervision, const std::vector<std::string>& command) {
  const Signals signals;
  const std::string line = shell_line(supervision.launch, command);
  // mpirun passes SIGUSR1 on to its ranks; after any other it gives them no time to save.
  const int stop_signal = supervision.launch.empty() ? 0 : SIGUSR1;
  int64_t furthest = 0, failures = 0;
  History before = history_of(supervision.output);
  for (auto pause = kFirstPause;;) {
    const ChildEnd end = Child(line, signals, stop_signal).wait();
    if (end.exit_code == 0 || end.stopped) return end.exit_code;
    const History history = history_of(supervision.output);
    if (is_final(end.exit_code, history.written != before.written)) {
      say(fmt::format("not started again, for that would not help: {}", end.cause));
      return end.exit_code;
    }
    // A run that goes back over its steps, but saves them, comes on, too.
    if (history.steps > furthest || history.checkpoints != before.checkpoints) {
      furthest = history.steps;
      failures = 0;
      pause = kFirstPause;
    }
    before = history;
    const std::string failure =
        fmt::format("failure {} of {} after step {}", ++failures, supervision.failures, furthest);
    if (failures >= supervision.failures) {
      say(fmt::format("{}, giving up: {}", failure, end.cause));
      return end.exit_code;
    }
    say(fmt::format("{}, starting again in {} s: {}", failure, pause.count(), end.cause));
    if (!pause_for(pause, signals)) return end.exit_code;
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace bertha
