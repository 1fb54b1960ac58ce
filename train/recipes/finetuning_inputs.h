#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "train/finetune_config.h"
#include "train/model_description.h"
#include "train/recipes/finetuning_task.h"
#include "train/recipes/task_file.h"
#include "train/recipes/task_set.h"
#include "train/trainer.h"

namespace bertha {

// What a fine-tuning configuration means, and what of it must fit together: shared by the run and its plan.

/// Everything that a run needs besides its place: read, checked, and nothing written.
struct FinetuningInputs {
  ModelDescription description;
  std::unique_ptr<Tokenizer> tokenizer;
  TaskSet train;
  std::optional<TaskSet> validation, test;
  std::optional<TaskFile> validation_file, test_file;  // what these were made from
  std::optional<Teacher> teacher;
  bool keeps_head = false;  // the model is fine-tuned for this task and these labels already

  /// Those that are there.
  std::vector<const TaskSet*> sets() const;
  /// Of what decides which model is the best; 0 where nothing does.
  uint64_t evaluation_hash() const { return validation ? validation->hash : 0; }
};

/// Throws ConfigError, MismatchError and DamagedFileError for what does not fit.
FinetuningInputs read_finetuning_inputs(const FinetuneConfig& config);

/// Gives the model its first weights, random where the directory has nothing; what that is, a sentence each.
std::vector<std::string> initialize(BertForTask& model, const FinetuneConfig& config, const FinetuningInputs& inputs);

/// As the trainer takes them. Throws ConfigError where the warm-up is longer than the run.
TrainerOptions finetuning_options(const FinetuneConfig& config, const FinetuningInputs& inputs, double peak_flops);

}  // namespace bertha
