#pragma once

#include <cstdint>

#include "visualize/terminal_text.h"

namespace bertha {

/// Columns that a line may have: what COLUMNS says, else the terminal of standard output, else 80.
int64_t terminal_width();

/// Lines of the terminal, found in the same way from LINES; else 40.
int64_t terminal_height();

/// On where standard output is a terminal and NO_COLOR is not set.
TerminalColors terminal_colors();

}  // namespace bertha
