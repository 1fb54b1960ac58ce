#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace bertha {

int64_t terminal_width() {
  constexpr int64_t kUsual = 80, kWidest = 1000;
  const char* columns = std::getenv("COLUMNS");
  int64_t width = columns ? std::atoll(columns) : 0;
  winsize size = {};
  if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
  return width > 0 ? std::min(width, kWidest) : kUsual;
}

bool takes_colors() {
  return isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");
}

}  // namespace bertha
