#include "nn/bert_for_task.h"

#include "autograd/ops/elementwise.h"
#include "nn/head_rows.h"
#include "nn/published_names.h"

namespace bertha {
namespace {

bool reads_sequences(Head head) {
  return head == Head::kSequence || head == Head::kChoice || head == Head::kIntentAndSlots;
}

}  // namespace

BertForTask::BertForTask(const BertConfig& config, const TaskHead& head)
    : config_(config),
      head_(head),
      parameters_(published_naming(config.family, head.kind)),
      bert_(Scope(parameters_, "bert"), config) {
  if (head.kind == Head::kSpans) head_.outputs = 2;
  if (head.kind == Head::kChoice) head_.outputs = 1;
  check<ConfigError>(head.kind == Head::kNone || head_.outputs > 0, "model: a head without outputs");
  check<ConfigError>(head.kind != Head::kIntentAndSlots || head.slots > 0, "model: a head without slots");
  const Scope root(parameters_, "");
  if (reads_sequences(head.kind)) pooler_.emplace(root / "bert" / "pooler", config, head.kind);
  switch (head.kind) {
    case Head::kSequence:
    case Head::kChoice:
      layer_.emplace(root / "classifier", config, head_.outputs, 0);
      break;
    case Head::kTokens:
      layer_.emplace(root / "classifier", config, head_.outputs, config.task_dropout(Head::kTokens));
      break;
    case Head::kSpans:
      layer_.emplace(root / "qa_outputs", config, head_.outputs, config.task_dropout(Head::kSpans));
      break;
    case Head::kIntentAndSlots:
      layer_.emplace(root / "intent_classifier", config, head_.outputs, 0);
      slots_.emplace(root / "slot_classifier", config, head_.slots, config.task_dropout(Head::kTokens));
      break;
    default:
      break;
  }
  parameters_.allocate();
}

Var BertForTask::sequence_logits(Run& run, const TokenInputs& inputs) const {
  check(head_.kind == Head::kSequence || head_.kind == Head::kChoice, "model: it has no head for sequences");
  const auto rows = run.first_tokens();
  return layer_->operator()(run, widen((*pooler_)(run, bert_(run, inputs, rows), rows)), run.keys_of(rows));
}

Var BertForTask::row_logits(Run& run, const TokenInputs& inputs, std::span<const int32_t> rows) const {
  check(head_.kind == Head::kTokens, "model: it has no head for tokens");
  return layer_->operator()(run, widen(bert_(run, inputs, rows)), run.keys_of(rows));
}

std::pair<Var, Var> BertForTask::intent_and_slot_logits(Run& run, const TokenInputs& inputs,
                                                        std::span<const int32_t> rows) const {
  check(head_.kind == Head::kIntentAndSlots, "model: it has no head for intents and slots");
  const auto first = run.first_tokens();
  HeadRows read;
  read.add(first);
  read.add(rows);
  const Var x = bert_(run, inputs, read.rows());
  const Var pooled = (*pooler_)(run, gather_rows(x, read.places(first)), first);
  return {layer_->operator()(run, widen(pooled), run.keys_of(first)),
          slots_->operator()(run, widen(gather_rows(x, read.places(rows))), run.keys_of(rows))};
}

Var BertForTask::span_logits(Run& run, const TokenInputs& inputs) const {
  check(head_.kind == Head::kSpans, "model: it has no head for answers");
  return layer_->operator()(run, widen(bert_.states(run, inputs)), run.row_keys);
}

}  // namespace bertha
