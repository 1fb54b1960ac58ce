#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "autograd/ops/activation.h"

namespace bertha {

/// The architecture of a BERT encoder under its published key names; the defaults are BERT-base, uncased.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) §3 and the config.json files published with it.
struct BertConfig {
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  std::string hidden_act = "gelu";  // one of activation_names()
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;

  /// What hidden_act names.
  Gelu gelu() const { return hidden_act == "gelu" ? Gelu::kErf : Gelu::kTanh; }

  bool operator==(const BertConfig&) const = default;
};

/// tiny, mini, small, medium, minilm, base, large, in order of size.
std::span<const std::string_view> preset_names();

/// Sizes of Turc et al. 2019 (arXiv:1908.08962), Wang et al. 2020 (arXiv:2002.10957, minilm) and Devlin et al. 2018.
/// Throws ConfigError for a name that preset_names() does not hold.
BertConfig preset(std::string_view name);

/// gelu (with erf), and its tanh approximation under both published names, gelu_new and gelu_pytorch_tanh.
std::span<const std::string_view> activation_names();

/// Throws ConfigError, starting with `where`, for sizes, probabilities or an activation that no model can be built
/// from.
void validate(const BertConfig& config, std::string_view where);

}  // namespace bertha
