#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/task_lengths.h"
#include "train/comm/communicator.h"
#include "train/model_description.h"
#include "train/task.h"

namespace bertha {

/// What `bertha evaluate` was asked for.
struct EvaluateOptions {
  std::string model, data, predictions;
  TaskLengths lengths;
  std::optional<Task> task;
  TaskColumns columns;  // those that are not empty hold instead of what the model remembers
  bool json = false;
};

/// What a model is worth on the data.
struct Evaluation {
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<std::string> notes;  // sentences about what could not be used as it is
  std::string table;               // by label, tag or type, where that applies
};

/// The losses of a model's pretraining heads on text, or on shards, under masks that are always the same. Collective.
/// Throws MismatchError where the model has no head for the asked task, or the data is not for it.
Evaluation evaluate_pretrained(const EvaluateOptions& options, const ModelDescription& description,
                               Communicator& communicator);

/// The scores of a fine-tuned model on a file of examples. Collective. Throws as the readers of its files do.
Evaluation evaluate_finetuned(const EvaluateOptions& options, ModelDescription description, Communicator& communicator);

/// A note where a directory has weights that the model leaves out: it may have been meant to keep them.
std::vector<std::string> note_of_unused_weights(const std::string& directory, const ParameterStore& parameters);

}  // namespace bertha
