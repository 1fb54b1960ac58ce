#include "train/stop_signal.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <mutex>

namespace bertha {
namespace {

constexpr std::array kSignals = {SIGTERM, SIGINT, SIGUSR1};
volatile std::sig_atomic_t g_received = 0;
std::atomic<const char*> g_words = nullptr;
std::atomic<int64_t> g_terminated_ms = 0;  // by the clock below; 0: not
std::mutex g_mutex;                        // of what follows: ranks may be threads
int g_alive = 0;
std::array<struct sigaction, kSignals.size()> g_previous;

int64_t now_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1'000'000;
}

// A handler may do no more than this.
void note(int number) {
  const int error = errno;
  g_received = 1;
  if (number == SIGTERM && g_terminated_ms == 0) g_terminated_ms = now_ms();
  if (const char* words = g_words) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, words, std::strlen(words));
    _exit(0);
  }
  errno = error;
}

}  // namespace

StopSignals::StopSignals(const char* words) {
  g_words = words;
  const std::lock_guard lock(g_mutex);
  if (g_alive++ > 0) return;
  g_received = 0;
  g_terminated_ms = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &g_previous[i]);
}

StopSignals::~StopSignals() {
  g_words = nullptr;
  const std::lock_guard lock(g_mutex);
  if (--g_alive > 0) return;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &g_previous[i], nullptr);
}

bool StopSignals::received() {
  return g_received != 0;
}

std::optional<std::chrono::milliseconds> StopSignals::since_termination() {
  const int64_t begin = g_terminated_ms;
  if (begin == 0) return std::nullopt;
  return std::chrono::milliseconds(now_ms() - begin);
}

}  // namespace bertha
