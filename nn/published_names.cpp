#include "nn/published_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace bertha {
namespace {

// Parts of names, the longer ones first where one is a part of another.
using Replacement = std::pair<std::string_view, std::string_view>;

constexpr Replacement kRoberta[] = {
    {"bert.", "roberta."},
    {"cls.predictions.transform.dense.", "lm_head.dense."},
    {"cls.predictions.transform.LayerNorm.", "lm_head.layer_norm."},
    {"cls.predictions.bias", "lm_head.bias"},
};
// Its head for sequences is two layers of its own where BERT has a pooler and one.
constexpr Replacement kRobertaSequence[] = {
    {"bert.pooler.dense.", "classifier.dense."},
    {"classifier.", "classifier.out_proj."},
};
constexpr Replacement kDistilBert[] = {
    {"bert.pooler.dense.", "pre_classifier."},
    {"bert.", "distilbert."},
    {".encoder.layer.", ".transformer.layer."},
    {".attention.self.query.", ".attention.q_lin."},
    {".attention.self.key.", ".attention.k_lin."},
    {".attention.self.value.", ".attention.v_lin."},
    {".attention.output.dense.", ".attention.out_lin."},
    {".attention.output.LayerNorm.", ".sa_layer_norm."},
    {".intermediate.dense.", ".ffn.lin1."},
    {".output.dense.", ".ffn.lin2."},
    {".output.LayerNorm.", ".output_layer_norm."},
    {"cls.predictions.transform.dense.", "vocab_transform."},
    {"cls.predictions.transform.LayerNorm.", "vocab_layer_norm."},
    {"cls.predictions.bias", "vocab_projector.bias"},
};

// Of files that were converted from TensorFlow.
constexpr Replacement kTensorFlow[] = {
    {".LayerNorm.weight", ".LayerNorm.gamma"},
    {".LayerNorm.bias", ".LayerNorm.beta"},
};

bool replace(std::string& name, const Replacement& replacement) {
  const auto& [from, to] = replacement;
  const size_t at = name.find(from);
  // A name begins with a part that has no dot in front.
  if (at == name.npos || (from.front() != '.' && at != 0)) return false;
  name.replace(at, from.size(), to);
  return true;
}

std::string roberta_name(std::string_view bert_name, Head head) {
  std::string name(bert_name);
  if (head == Head::kSequence) {
    for (const Replacement& replacement : kRobertaSequence) {
      if (replace(name, replacement)) return name;
    }
  }
  for (const Replacement& replacement : kRoberta) replace(name, replacement);
  return name;
}

std::string distilbert_name(std::string_view bert_name) {
  std::string name(bert_name);
  for (const Replacement& replacement : kDistilBert) replace(name, replacement);
  return name;
}

struct FamilyNames {
  std::string_view encoder, class_prefix;
};

FamilyNames names_of(Family family) {
  switch (family) {
    case Family::kRoberta:
      return {"roberta", "Roberta"};
    case Family::kDistilBert:
      return {"distilbert", "DistilBert"};
    case Family::kBert:
      break;
  }
  return {"bert", "Bert"};
}

std::string_view class_suffix(Head head) {
  switch (head) {
    case Head::kNone:
      return "Model";
    case Head::kMlm:
      return "ForMaskedLM";
    case Head::kMlmAndNextSentence:
      return "ForPreTraining";
    case Head::kNextSentence:
      return "ForNextSentencePrediction";
    case Head::kSequence:
      return "ForSequenceClassification";
    case Head::kTokens:
      return "ForTokenClassification";
    case Head::kSpans:
      return "ForQuestionAnswering";
    case Head::kChoice:
      return "ForMultipleChoice";
    case Head::kIntentAndSlots:
      return "ForIntentAndSlots";
  }
  return {};
}

}  // namespace

std::function<std::string(std::string_view)> published_naming(Family family, Head head) {
  if (family == Family::kRoberta) return [head](std::string_view name) { return roberta_name(name, head); };
  if (family == Family::kDistilBert) return distilbert_name;
  return {};
}

std::string tensorflow_name(std::string_view published_name) {
  std::string name(published_name);
  for (const Replacement& replacement : kTensorFlow) replace(name, replacement);
  return name;
}

bool is_output_layer(std::string_view name) {
  constexpr std::string_view kLayers[] = {"classifier", "classifier.out_proj", "qa_outputs", "intent_classifier",
                                          "slot_classifier"};
  return std::ranges::count(kLayers, name.substr(0, name.rfind('.'))) > 0;
}

std::string_view family_name(Family family) {
  return names_of(family).encoder;
}

std::string architecture_name(Family family, Head head) {
  const bool next_sentence = head == Head::kNextSentence || head == Head::kMlmAndNextSentence;
  if (next_sentence && family != Family::kBert) return {};
  return std::string(names_of(family).class_prefix) + std::string(class_suffix(head));
}

ConfigKeys config_keys(Family family) {
  if (family == Family::kDistilBert) {
    return {"dim",        "n_layers", "n_heads",           "hidden_dim",
            "activation", "dropout",  "attention_dropout", "seq_classif_dropout"};
  }
  return {"hidden_size", "num_hidden_layers",   "num_attention_heads",          "intermediate_size",
          "hidden_act",  "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"};
}

}  // namespace bertha
