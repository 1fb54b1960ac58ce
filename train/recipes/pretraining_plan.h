#pragma once

#include <string>
#include <vector>

#include "train/pretrain_config.h"

namespace bertha {

/// Checks everything that can be checked before the first step without writing anything, and says what would be done,
/// a sentence a line. Throws as `pretrain` does.
std::vector<std::string> plan_pretraining(const PretrainConfig& config, int ranks);

}  // namespace bertha
