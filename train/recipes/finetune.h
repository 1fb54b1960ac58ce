#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/comm/communicator.h"
#include "train/finetune_config.h"
#include "train/recipes/task_evaluation.h"
#include "train/trainer.h"

namespace bertha {

/// What one run of a fine-tuning reached: metrics and tables of its best model.
struct FinetuneResult {
  Trainer::Outcome outcome = Trainer::Outcome::kStopped;
  std::vector<std::pair<std::string, double>> validation, test;  // empty without such a file
  std::string validation_table, test_table;
  double training_s = 0;  // of this start, without what came before and after its steps
};

/// Fine-tunes a model as a configuration says; resumes where the output directory holds a checkpoint. The model that
/// was best on validation, or the last one without any, is published as `model/` and evaluated; `results.json` and
/// `results.txt` say how. Its seed is `training.seed`; see finetune_seeds for several. Collective.
/// Throws ConfigError, MismatchError and DamagedFileError for what does not fit before the first step.
FinetuneResult finetune(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events);

/// The same once for each of `seeds`, in `seed-N/` under the output directory, and in the latter the mean and standard
/// deviation of each metric. A signal stops all of them; the same command goes on where it stopped.
Trainer::Outcome finetune_seeds(const FinetuneConfig& config, Communicator& communicator, const RunEvents& events);

/// Checks everything that can be checked before the first step without writing anything, and says what would be done,
/// a sentence a line. Throws as `finetune` does.
std::vector<std::string> plan_finetuning(const FinetuneConfig& config, int ranks);

}  // namespace bertha
