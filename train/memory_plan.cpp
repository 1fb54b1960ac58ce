#include "train/memory_plan.h"

#include <algorithm>

namespace bertha {
namespace {

constexpr int64_t kFloat = sizeof(float);

// Bytes of a forward pass that keeps nothing.
int64_t forward_bytes(const BertConfig& c, int64_t tokens) {
  return tokens * (6 * c.hidden_size + c.intermediate_size) * kFloat;
}

}  // namespace

int64_t memory_of_teacher(const BertConfig& c, int64_t parameters, int64_t tokens) {
  return 2 * parameters * kFloat + forward_bytes(c, tokens);
}

MemoryPlan plan_memory(const BertConfig& c, const PlannedStep& step) {
  const auto element = static_cast<int64_t>(size_of(step.dtype));
  const int64_t hidden = c.hidden_size * element;
  const int64_t intermediate = c.intermediate_size * element;
  // Of each row: the context, two normalised rows, two results, the GELU's input, and before them of each token q, k,
  // v.
  const int64_t row = 5 * hidden + intermediate + c.num_attention_heads * kFloat;
  const int64_t layer = step.tokens * (3 * hidden + row);
  const int64_t last_layer = step.tokens * 3 * hidden + (step.masked + step.first_tokens) * row;
  const int64_t embeddings = step.tokens * 2 * hidden;
  const int64_t backward = step.tokens * (3 * hidden + 2 * intermediate);
  const int64_t others = c.num_hidden_layers - 1;
  MemoryPlan plan;
  plan.parameters = (2 * step.parameters + 2 * step.parameters / step.optimizer_ranks) * kFloat;
  plan.slices = step.gradient_blocks * step.parameters * kFloat;
  // A layer that is computed again takes the place of the last one, which backward has done with.
  const int64_t layers =
      step.recompute ? others * step.tokens * hidden + std::max(layer, last_layer) : others * layer + last_layer;
  plan.activations = layers + embeddings + backward;
  // In bf16 their gradient cannot take their place.
  plan.logits = step.masked * c.vocab_size * (step.dtype == DType::bf16 ? kFloat + element : kFloat);
  const int64_t evaluation = forward_bytes(c, step.evaluation_tokens) + step.evaluation_masked * c.vocab_size * kFloat;
  plan.evaluation = std::max<int64_t>(0, evaluation - plan.activations - plan.logits);
  plan.teacher = step.teacher_bytes;
  plan.process = int64_t{72} << 20;
  return plan;
}

}  // namespace bertha
