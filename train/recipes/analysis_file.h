#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/recipes/task_analysis.h"

namespace bertha {

/// The name in a fine-tuning's run directory.
inline constexpr std::string_view kAnalysisName = "analysis.json";

/// Analyses by the name of what was analysed: `validation`, `test`.
using TaskAnalyses = std::vector<std::pair<std::string, TaskAnalysis>>;

/// One JSON object with a member for each.
std::string to_json(const TaskAnalyses& analyses);
/// Throws DamagedFileError starting with `where` for what to_json does not write.
TaskAnalyses parse_analyses(std::string_view json, std::string_view where);

}  // namespace bertha
