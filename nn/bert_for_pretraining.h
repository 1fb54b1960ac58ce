#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "autograd/ops/cross_entropy.h"
#include "nn/bert.h"
#include "nn/heads.h"
#include "nn/parameter.h"

namespace bertha {

/// The labels of a packed batch. M masked tokens, B sequences.
struct PretrainingLabels {
  std::span<const int32_t> masked_rows, masked_labels;  // (M)
  std::span<const int32_t> next_sentence;               // (B), or empty
};

/// What the labels cost, and how the two sums become one loss: loss = mlm_scale * mlm sum + nsp_scale * nsp sum.
struct PretrainingScales {
  double mlm = 0, next_sentence = 0;
};
struct PretrainingLosses {
  LossSums mlm, next_sentence;
};

/// BERT with its pretraining heads and their parameters, under the published names of BertForMaskedLM,
/// BertForPreTraining and BertForNextSentencePrediction, or those of their family; the pooler comes with the
/// next-sentence head. Not movable: modules refer to the store's parameters.
class BertForPretraining {
 public:
  BertForPretraining(const BertConfig& config, Head heads);
  BertForPretraining(const BertForPretraining&) = delete;
  BertForPretraining& operator=(const BertForPretraining&) = delete;

  const BertConfig& config() const { return config_; }
  Head heads() const { return heads_; }
  ParameterStore& parameters() { return parameters_; }
  const ParameterStore& parameters() const { return parameters_; }

  /// The scaled loss (1) of a batch. Unscaled sums are added to `losses`; `mlm_rows`, unless null, receives (M) losses.
  Var loss(Run& run, const TokenInputs& inputs, const PretrainingLabels& labels, const PretrainingScales& scales,
           PretrainingLosses& losses, std::vector<double>* mlm_rows) const;

  /// Scores of every vocabulary entry at `rows`: (M, V). Throws ShapeError without an MLM head.
  Var mlm_logits(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const;

  /// (B, 2): B follows A, B is from elsewhere. Throws ShapeError without a next-sentence head.
  Var next_sentence_logits(Run& run, const TokenInputs& inputs) const;

 private:
  BertConfig config_;
  Head heads_;
  ParameterStore parameters_;
  Bert bert_;
  std::optional<Pooler> pooler_;
  std::optional<MlmHead> mlm_;
  std::optional<NextSentenceHead> next_sentence_;
};

}  // namespace bertha
