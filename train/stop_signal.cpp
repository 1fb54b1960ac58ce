#include "train/stop_signal.h"

#include <array>
#include <csignal>

namespace bertha {
namespace {

constexpr std::array kSignals = {SIGTERM, SIGINT, SIGUSR1};
volatile std::sig_atomic_t g_received = 0;  // a handler may write nothing else
std::array<struct sigaction, kSignals.size()> g_previous;

void note(int) {
  g_received = 1;
}

}  // namespace

StopSignals::StopSignals() {
  g_received = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &g_previous[i]);
}

StopSignals::~StopSignals() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &g_previous[i], nullptr);
}

bool StopSignals::received() {
  return g_received != 0;
}

}  // namespace bertha
