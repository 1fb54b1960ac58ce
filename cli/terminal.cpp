#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace bertha {

namespace {

constexpr int64_t kMost = 1000;

int64_t terminal_size(const char* variable, unsigned short winsize::*member, int64_t usual) {
  const char* given = std::getenv(variable);
  int64_t size = given ? std::atoll(given) : 0;
  winsize terminal = {};
  if (size <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal) == 0) size = terminal.*member;
  return size > 0 ? std::min(size, kMost) : usual;
}

}  // namespace

int64_t terminal_width() {
  return terminal_size("COLUMNS", &winsize::ws_col, 80);
}

int64_t terminal_height() {
  return terminal_size("LINES", &winsize::ws_row, 40);
}

TerminalColors terminal_colors() {
  return isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR") ? TerminalColors::kOn : TerminalColors::kOff;
}

}  // namespace bertha
