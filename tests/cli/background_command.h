#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace bertha {

/// A shell command that runs beside the test, in a process group of its own; killed with the test.
class BackgroundCommand {
 public:
  explicit BackgroundCommand(const std::string& command) : process_(fork()) {
    if (process_ == 0) {
      setpgid(0, 0);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    setpgid(process_, process_);
  }
  ~BackgroundCommand() {
    if (process_ > 0) kill_and_wait();
  }
  BackgroundCommand(const BackgroundCommand&) = delete;
  BackgroundCommand& operator=(const BackgroundCommand&) = delete;

  /// To the shell, which is the command itself where that begins with exec.
  void signal(int number) const { kill(process_, number); }

  void kill_and_wait() {
    kill(-process_, SIGKILL);
    wait();
  }

  /// Its exit code; -1 where a signal ended it.
  int wait() {
    int status = 0;
    do {
      waitpid(process_, &status, 0);
    } while (WIFSTOPPED(status));  // which a tracing test sees
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_;
};

/// Whether `condition` came true within half a minute.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 1500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace bertha
