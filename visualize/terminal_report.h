#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "visualize/reported_run.h"
#include "visualize/terminal_chart.h"

namespace bertha {

/// A table of the runs, which were read before, and charts of what they learnt and how fast, `width` characters wide.
std::string terminal_report(std::span<const ReportedRun> runs, int64_t width, TerminalColors colors);

}  // namespace bertha
