#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sequence_source.h"
#include "data/shard.h"
#include "data/vocabulary.h"
#include "data/wordpiece.h"
#include "nn/bert_for_pretraining.h"
#include "train/config.h"

namespace bertha {

// What a pretraining configuration means, and what of it must fit together: shared by the run and its plan.

PretrainingHeads heads_of(Objective task);

/// The model's sizes: as configured, or those of initialize_from.
BertConfig model_config(const PretrainConfig& config);

/// Left out, the size depends on the number of ranks, unless the bits must not.
int64_t micro_batch_size(const TrainingSection& training, int ranks);

/// Optimiser steps over `sequences` sequences; 0 where a time limits them.
int64_t steps_of(const TrainingSection& training, int64_t sequences);

/// The tokenizer given by data.vocab or initialize_from; none where the vocabulary is to be learnt.
std::optional<WordPiece> given_tokenizer(const PretrainConfig& config);

/// Throws ConfigError where this processor cannot compute in the precision.
void check_precision(const TrainingSection& training);

/// Throws MismatchError where the vocabulary or sequences are too large for the model.
void check_fits_model(const BertConfig& model, const Vocabulary& vocabulary);
void check_fits_model(const BertConfig& model, int64_t sequence_length);

/// Throws MismatchError where the shards were made with another vocabulary, casing, objective or sequence length.
void check_shards(const ShardSet& shards, const std::string& directory, const PretrainConfig& config,
                  const WordPiece& tokenizer);

/// What a run trains on, however it is stored.
struct TrainingSamples {
  SampleSource source;
  uint64_t hash;
  int64_t tokens;
  std::vector<int64_t> token_counts;  // by id, before masking
};

/// Opens a directory of shards, whose sequences are masked anew in every epoch, or of files that are masked already.
/// Throws MismatchError where it does not fit the configuration.
TrainingSamples open_training_samples(const std::string& directory, const PretrainConfig& config,
                                      const WordPiece& tokenizer);

/// Elements of all parameters.
int64_t parameter_count(const ParameterStore& store);

}  // namespace bertha
