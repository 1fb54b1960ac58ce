#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/task.h"
#include "train/training_config.h"

namespace bertha {

/// The model that is fine-tuned.
struct FinetuneModelSection {
  std::string initialize_from;       // a model directory
  std::vector<int64_t> keep_layers;  // its layers to go on with, counted from 0; empty: all
};

/// Files of examples, and what is in them.
struct FinetuneDataSection {
  std::string train, validation, test;  // validation and test may be left out
  TaskColumns columns;
  int64_t sequence_length = 128;
  int64_t stride = 64;  // of question_answering
};

/// Learning from a teacher's outputs too. Source: Hinton et al. 2015 (arXiv:1503.02531), Sanh et al. 2019
/// (arXiv:1910.01108).
struct DistillationSection {
  std::string teacher;  // a directory of a model fine-tuned for the same task; empty: none
  double temperature = 2;
  double weight = 0.5;  // of the teacher's soft targets; the rest is the labels'
};

struct FinetuneEvaluationSection {
  std::optional<int64_t> every_steps;  // left out: an epoch's
  std::optional<int64_t> patience;     // evaluations without a better one before training stops; left out: never
};

/// The configuration of `bertha finetune`. Paths are relative to the current directory.
struct FinetuneConfig {
  FinetuneModelSection model;
  Task task = Task::kSequenceClassification;
  FinetuneDataSection data;
  TrainingSection training;
  double layer_decay = 1;  // of the learning rate, from each layer to the one below
  std::vector<int64_t> seeds;
  DistillationSection distillation;
  CommunicationSection communication;
  SpikeOptions spikes;
  FinetuneEvaluationSection evaluation;
  CheckpointSection checkpoint;
  std::string output;

  FinetuneConfig();
};

/// As load_pretrain_config.
FinetuneConfig load_finetune_config(const std::string& path, std::span<const std::string> overrides);
/// The same from memory; errors call it `origin`.
FinetuneConfig parse_finetune_config(const std::string& yaml, const std::string& origin,
                                     std::span<const std::string> overrides);
std::string to_yaml(const FinetuneConfig& config);
std::vector<std::string> differences(const FinetuneConfig& before, const FinetuneConfig& after);

}  // namespace bertha
