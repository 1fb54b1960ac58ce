#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/masking.h"
#include "data/shard.h"
#include "nn/bert_config.h"
#include "train/training_config.h"

namespace bertha {

/// What is trained: an architecture, or the model of a directory, which then says everything.
struct ModelSection {
  std::string preset;           // where `config` started from; empty: from the published keys alone
  std::string initialize_from;  // a model directory; `config` then means nothing
  BertConfig config;
};

/// Where the sequences come from: text, or shards made before.
struct DataSection {
  std::vector<std::string> text;             // files, folders and patterns: see expand_paths
  std::string shards;                        // a directory
  std::vector<std::string> evaluation_text;  // as `text`; empty: no evaluation
  std::string vocab;                         // a file; empty: learnt from `text`, or the one of initialize_from
  bool lowercase = true;
  int64_t sequence_length = 128;  // tokens, special ones included
};

struct EvaluationSection {
  int64_t every_steps = 100;
};

/// The configuration of `bertha pretrain`. Paths are relative to the current directory.
struct PretrainConfig {
  ModelSection model;
  Objective task = Objective::kMlm;
  DataSection data;
  MaskingOptions masking;
  TrainingSection training;
  CommunicationSection communication;
  SpikeOptions spikes;
  EvaluationSection evaluation;
  CheckpointSection checkpoint;
  std::string output;  // the run directory
};

/// Reads a YAML file and applies `overrides` (`key.path=value`, value: YAML; null leaves a key out), the last one wins.
/// Throws ConfigError, starting with FILE:LINE:COLUMN or the override, for anything that is not a complete
/// configuration.
PretrainConfig load_pretrain_config(const std::string& path, std::span<const std::string> overrides);

/// The same from memory; errors call it `origin`.
PretrainConfig parse_pretrain_config(const std::string& yaml, const std::string& origin,
                                     std::span<const std::string> overrides);

/// The resolved configuration, every key with its value, as YAML that loads back to the same.
std::string to_yaml(const PretrainConfig& config);

/// One line, `training.steps: 1000 -> 2000`, for each key whose value differs.
std::vector<std::string> differences(const PretrainConfig& before, const PretrainConfig& after);

}  // namespace bertha
