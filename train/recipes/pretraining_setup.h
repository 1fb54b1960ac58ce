#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sequence_source.h"
#include "data/shard.h"
#include "data/vocabulary.h"
#include "data/wordpiece.h"
#include "nn/bert_for_pretraining.h"
#include "train/pretrain_config.h"
#include "train/recipes/run_setup.h"

namespace bertha {

// What a pretraining configuration means, and what of it must fit together: shared by the run and its plan.

Head heads_of(Objective task);

/// The model's sizes: as configured, or those of initialize_from. Throws ConfigError where models of its family have no
/// head for the task.
BertConfig model_config(const PretrainConfig& config);

/// Gives the model random weights, or those of initialize_from; what there is to say of that, a sentence each.
std::vector<std::string> initialize(BertForPretraining& model, const PretrainConfig& config);

/// The tokenizer given by data.vocab or initialize_from; none where the vocabulary is to be learnt.
std::optional<WordPiece> given_tokenizer(const PretrainConfig& config);

/// Throws MismatchError where the vocabulary is too large for the model.
void check_fits_model(const BertConfig& model, const Vocabulary& vocabulary);

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

}  // namespace bertha
