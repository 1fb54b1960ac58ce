#pragma once

#include "train/comm/communicator.h"
#include "train/pretrain_config.h"
#include "train/trainer.h"

namespace bertha {

/// Pretrains from a configuration to a finished model: learns the vocabulary and shards the text where they are not
/// given, resumes where the output directory holds a checkpoint, and publishes `model/` at the end. Collective.
/// Throws ConfigError, MismatchError and DamagedFileError for what does not fit before the first step.
Trainer::Outcome pretrain(const PretrainConfig& config, Communicator& communicator, const RunEvents& events);

}  // namespace bertha
