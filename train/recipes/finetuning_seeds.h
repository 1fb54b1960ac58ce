#pragma once

#include "train/comm/communicator.h"
#include "train/finetune_config.h"
#include "train/trainer.h"

namespace bertha {

/// Fine-tunes once for each of `seeds`, in `seed-N/` under the output directory, and writes to the latter the mean and
/// standard deviation of each metric. A signal stops all of them, also between two; the same command goes on where it
/// stopped. Collective. Throws as finetune does.
Trainer::Outcome finetune_seeds(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events);

}  // namespace bertha
