#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "nn/bert_config.h"

namespace bertha {

inline constexpr Family kFamilies[] = {Family::kBert, Family::kRoberta, Family::kDistilBert};

/// What turns the name by which BERT's modules register a parameter into the name it has in files of `family` under
/// `head`. Empty for BERT, whose names are the modules'.
std::function<std::string(std::string_view)> published_naming(Family family, Head head);

/// The name of a tensor in files that were converted from TensorFlow, as the first published ones were.
std::string tensorflow_name(std::string_view published_name);

/// Whether a published name is of the last layer of a task's head, whose rows stand for that task's labels.
bool is_output_layer(std::string_view name);

/// The encoder's name in front of its parameters: `bert`, `roberta` or `distilbert`, which is also its model_type.
std::string_view family_name(Family family);

/// The class name of a model, such as `RobertaForSequenceClassification`; empty where there is no such class.
std::string architecture_name(Family family, Head head);

/// What config.json calls a size or probability in files of a family.
struct ConfigKeys {
  std::string_view hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, hidden_act,
      hidden_dropout_prob, attention_probs_dropout_prob, classifier_dropout;
};
ConfigKeys config_keys(Family family);

}  // namespace bertha
