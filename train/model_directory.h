#pragma once

#include <memory>
#include <string>

#include "data/wordpiece.h"
#include "nn/bert_for_pretraining.h"
#include "train/checkpoint/checkpoint.h"

namespace bertha {

/// A directory as Hugging Face's from_pretrained reads it: config.json, model.safetensors, vocab.txt,
/// tokenizer_config.json, special_tokens_map.json.

/// What config.json says: the encoder's sizes and, from `architectures`, its heads.
struct ModelDescription {
  BertConfig config;
  PretrainingHeads heads = PretrainingHeads::kMlm;
};

/// Throws ConfigError where the directory or file is missing, DamagedFileError for what is not a BERT configuration,
/// MismatchError for an architecture that has no pretraining head.
ModelDescription read_model_description(const std::string& directory);

/// Copies model.safetensors into the store. Throws MismatchError naming the first missing, extra or misshapen tensor.
/// Buffers that hold no parameter and tied copies of the decoder are passed over.
void read_weights(const std::string& directory, ParameterStore& parameters);

std::unique_ptr<BertForPretraining> read_model(const std::string& directory);

/// The tokenizer that belongs to the model. Throws MismatchError where the vocabulary is larger than the model's.
WordPiece read_tokenizer(const std::string& directory, const BertConfig& config);

/// The model's config.json.
std::string config_json(const BertForPretraining& model, const WordPiece& tokenizer);

/// All that a model directory holds. The weights stay the model's.
ModelContent model_content(const BertForPretraining& model, const WordPiece& tokenizer);

}  // namespace bertha
