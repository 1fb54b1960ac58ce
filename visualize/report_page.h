#pragma once

#include <span>
#include <string>

#include "visualize/reported_run.h"

namespace bertha {

/// One offline page about the runs, which were read before.
std::string report_page(std::span<const ReportedRun> runs);

}  // namespace bertha
