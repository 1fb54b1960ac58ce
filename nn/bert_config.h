#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "autograd/ops/activation.h"

namespace bertha {

/// The models that are configurations of the same modules: BERT (Devlin et al. 2018, arXiv:1810.04805), RoBERTa (Liu et
/// al. 2019, arXiv:1907.11692: byte-level BPE, positions counted from behind the padding id, other heads) and
/// DistilBERT (Sanh et al. 2019, arXiv:1910.01108: no token types, no pooler).
enum class Family { kBert, kRoberta, kDistilBert };

/// What sits on the encoder.
enum class Head {
  kNone,
  kMlm,
  kMlmAndNextSentence,
  kNextSentence,
  kSequence,        // classes, several labels or scores of a sequence
  kTokens,          // tags of tokens
  kSpans,           // where an answer starts and ends
  kChoice,          // one score a sequence, compared within a set of choices
  kIntentAndSlots,  // classes of a sequence and tags of its tokens (Chen et al. 2019, arXiv:1902.10909)
};

/// The architecture of a BERT encoder under its published key names; the defaults are BERT-base, uncased.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) §3 and the config.json files published with it.
struct BertConfig {
  Family family = Family::kBert;
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;  // 0: no token types
  int64_t pad_token_id = 0;
  std::string hidden_act = "gelu";  // one of activation_names()
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  std::optional<double> classifier_dropout;  // in front of a classifier; left out: hidden_dropout_prob
  double qa_dropout = 0.1;                   // in front of the layer that finds answers; DistilBERT's alone
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;

  /// In front of the last layer of a head, as the family's published class has it.
  double task_dropout(Head head) const;
  /// The row of the position table that a sequence's first token takes.
  int64_t first_position() const { return family == Family::kRoberta ? pad_token_id + 1 : 0; }
  /// In tokens.
  int64_t longest_sequence() const { return max_position_embeddings - first_position(); }

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
