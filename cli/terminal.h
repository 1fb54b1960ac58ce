#pragma once

#include <cstdint>

namespace bertha {

/// Columns that a line may have: what COLUMNS says, else the terminal of standard output, else 80.
int64_t terminal_width();

/// Whether standard output is a terminal and NO_COLOR is not set.
bool takes_colors();

}  // namespace bertha
