#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "visualize/reported_run.h"

namespace bertha {

/// What a run came to, in a few numbers; NaN where one is not known.
struct RunSummary {
  int64_t step = 0;
  double tokens = 0, seconds = 0;
  double loss = 0;                                                 // of the last step
  double tokens_per_second = 0, mfu = 0, communication_share = 0;  // means over the steps
  double peak_rss_mib = 0;
  int64_t evaluations = 0;
  std::string deciding_metric;  // of evaluations: what fine-tuning decides by, or the loss
  std::optional<CurvePoint> best;
  std::vector<std::string> notes;  // a sentence for what of its files is missing or damaged
};
RunSummary summarize(const ReportedRun& run);

/// A summary and what else is counted, as one JSON object on one line.
std::string summary_json(const ReportedRun& run);

}  // namespace bertha
