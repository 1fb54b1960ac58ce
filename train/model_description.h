#pragma once

#include <string>

#include "data/tokenizer.h"
#include "nn/bert_for_task.h"
#include "train/task.h"

namespace bertha {

/// What a model directory's config.json says: the encoder, what sits on it, and what for. What a fine-tuned model
/// remembers of its task stands in it too: its labels where Hugging Face looks for them, the rest as one object
/// `bertha`.
struct ModelDescription {
  BertConfig config;
  Head head = Head::kNone;
  TaskDescription task;
};

/// Whether BertForPretraining has it; BertForTask has the others.
bool is_for_pretraining(Head head);

/// The head with its numbers of outputs.
TaskHead task_head(const ModelDescription& description);

/// Throws ConfigError where the directory or file is missing, DamagedFileError for what is not a model's configuration,
/// MismatchError for a model or architecture of another kind.
ModelDescription read_model_description(const std::string& directory);

/// The model's config.json.
std::string config_json(const ModelDescription& description, const Tokenizer& tokenizer);

}  // namespace bertha
