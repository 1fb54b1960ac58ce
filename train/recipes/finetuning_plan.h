#pragma once

#include <string>
#include <vector>

#include "train/finetune_config.h"

namespace bertha {

/// Checks everything that can be checked before the first step without writing anything, and says what would be done,
/// a sentence a line. Throws as `finetune` does.
std::vector<std::string> plan_finetuning(const FinetuneConfig& config, int ranks);

}  // namespace bertha
