#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "nn/bert.h"
#include "nn/parameter.h"
#include "nn/task_heads.h"

namespace bertha {

/// A head and how many numbers it gives: classes or scores of a sequence, tags of a token; besides, for
/// kIntentAndSlots, the tags. kSpans always gives two and kChoice one.
struct TaskHead {
  Head kind = Head::kNone;
  int64_t outputs = 0;
  int64_t slots = 0;

  bool operator==(const TaskHead&) const = default;
};

/// An encoder with the head of a task, under the published names of its family's class. Logits are float, or double,
/// whatever the activations are. Not movable: modules refer to the store's parameters.
class BertForTask {
 public:
  /// Throws ConfigError for a head without outputs.
  BertForTask(const BertConfig& config, const TaskHead& head);
  BertForTask(const BertForTask&) = delete;
  BertForTask& operator=(const BertForTask&) = delete;

  const BertConfig& config() const { return config_; }
  const TaskHead& head() const { return head_; }
  ParameterStore& parameters() { return parameters_; }
  const ParameterStore& parameters() const { return parameters_; }

  /// (B, outputs) with kSequence, (B, 1) with kChoice.
  Var sequence_logits(Run& run, const TokenInputs& inputs) const;

  /// (M, outputs) at `rows`, which rise; with kTokens.
  Var row_logits(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const;

  /// (B, outputs) of the sequences and (M, slots) at `rows`; with kIntentAndSlots.
  std::pair<Var, Var> intent_and_slot_logits(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const;

  /// (N, 2): where the answer starts and ends; with kSpans.
  Var span_logits(Run& run, const TokenInputs& inputs) const;

  /// (N, H): the last hidden states; with any head.
  Var hidden_states(Run& run, const TokenInputs& inputs) const { return bert_.states(run, inputs); }

  /// (V, H)
  const Tensor& word_embeddings() const { return bert_.embeddings.word.value; }

 private:
  BertConfig config_;
  TaskHead head_;
  ParameterStore parameters_;
  Bert bert_;
  std::optional<TaskPooler> pooler_;
  std::optional<TaskLayer> layer_, slots_;
};

}  // namespace bertha
