#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "nn/bert_for_pretraining.h"
#include "nn/bert_for_task.h"
#include "train/checkpoint/checkpoint.h"
#include "train/model_description.h"

namespace bertha {

/// A directory as Hugging Face's from_pretrained reads it: config.json, the weights in one file or several, and the
/// tokenizer's files. Buffers that hold no parameter and tied copies of the decoder are passed over; files of the bare
/// encoder may leave out its name in front, and those that come from TensorFlow have its names for LayerNorm's tensors.
/// Where it has a manifest, nothing is used before its bytes are what that says (DamagedFileError).

/// Copies the weights of a checkpoint into the store. Throws MismatchError naming the first missing, extra or misshapen
/// tensor.
void read_weights(const std::string& directory, ParameterStore& parameters);

/// Copies the weights of a model, which may lie beside those of other heads (a pooler is one). Throws MismatchError
/// naming the first tensor that is missing or misshapen, or one too many in the encoder.
void read_model_weights(const std::string& directory, ParameterStore& parameters);

/// The tensors of heads that such a directory has and the model does not.
std::vector<std::string> unused_weights(const std::string& directory, const ParameterStore& parameters);

/// Copies what encoder and heads have in common with the directory and leaves the rest as it is.
struct SharedWeights {
  std::vector<std::string> missing;  // tensors of the head that the directory does not have
  std::vector<std::string> unused;   // as unused_weights
};
/// Whether the last layer of a task's head is one of these tensors; new, it is as good as missing.
enum class OutputLayer { kTaken, kNew };
/// `layers`: which of the directory's layers the model's are, counted from 0; empty: all of them.
/// Throws MismatchError where a tensor of the encoder is missing, one too many or misshapen.
SharedWeights read_shared_weights(const std::string& directory, ParameterStore& parameters,
                                  std::span<const int64_t> layers, OutputLayer output_layer);

/// Throws MismatchError where the directory holds a model with other heads.
std::unique_ptr<BertForPretraining> read_model(const std::string& directory);

/// A fine-tuned model with its head, or, where `description.head` was set to kNone, the encoder alone.
std::unique_ptr<BertForTask> read_task_model(const std::string& directory, const ModelDescription& description);

/// The tokenizer that belongs to the model. Throws MismatchError where the vocabulary is larger than the model's.
std::unique_ptr<Tokenizer> read_tokenizer(const std::string& directory, const BertConfig& config);

/// All that a model directory holds. The weights stay the store's.
ModelContent model_content(const ModelDescription& description, const ParameterStore& parameters,
                           const Tokenizer& tokenizer);

}  // namespace bertha
