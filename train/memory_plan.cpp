#include "train/memory_plan.h"

namespace bertha {

MemoryPlan plan_memory(const BertConfig& c, int64_t parameters, int64_t tokens, int64_t masked, int64_t gradient_blocks,
                       int optimizer_ranks) {
  constexpr int64_t kBytes = sizeof(float);
  // What each layer's ops save for a token: qkv, context, two normalised rows and two results of width H, both sides of
  // the GELU, one log-sum-exp a head. Backward adds the gradients of one layer.
  const int64_t layer = 8 * c.hidden_size + 2 * c.intermediate_size + c.num_attention_heads;
  const int64_t backward = 6 * c.hidden_size + 2 * c.intermediate_size;
  MemoryPlan plan;
  plan.parameters = (2 * parameters + 2 * parameters / optimizer_ranks) * kBytes;
  plan.slices = gradient_blocks * parameters * kBytes;
  plan.activations = tokens * (c.num_hidden_layers * layer + 3 * c.hidden_size + backward) * kBytes;
  plan.logits = masked * (c.vocab_size + 4 * c.hidden_size) * kBytes;
  return plan;
}

}  // namespace bertha
