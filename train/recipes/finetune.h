#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/comm/communicator.h"
#include "train/finetune_config.h"
#include "train/trainer.h"

namespace bertha {

/// What one run of a fine-tuning reached: metrics of its best model.
struct FinetuneResult {
  Trainer::Outcome outcome = Trainer::Outcome::kStopped;
  std::vector<std::pair<std::string, double>> validation, test;  // empty without such a file
};

/// Fine-tunes a model as a configuration says; resumes where the output directory holds a checkpoint. The model that
/// was best on validation, or the last one without any, is published as `model/` and evaluated; `results.json` and
/// `results.txt` say how. Its seed is `training.seed`; see finetune_seeds for several. Collective.
/// Throws ConfigError, MismatchError and DamagedFileError for what does not fit before the first step.
FinetuneResult finetune(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events);

}  // namespace bertha
