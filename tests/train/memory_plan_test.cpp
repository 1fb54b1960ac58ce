#include "train/memory_plan.h"

#include <gtest/gtest.h>

#include "autograd/core/memory.h"
#include "data/packed_batch.h"
#include "nn/bert_for_pretraining.h"
#include "train/recipes/pretraining_batch.h"

namespace bertha {
namespace {

BertConfig config() {
  BertConfig c = preset("tiny");
  c.vocab_size = 3000;
  c.num_hidden_layers = 4;
  return c;
}

// 16 sequences of 64 tokens, every eighth of them masked.
PackedBatch batch() {
  PackedBatch b;
  b.cu_seqlens = {0};
  for (int32_t row = 0; row < 16 * 64; ++row) {
    b.input_ids.push_back(row % 3000);
    b.type_ids.push_back(0);
    b.position_ids.push_back(row % 64);
    b.row_keys.push_back(static_cast<uint64_t>(row));
    if (row % 64 == 63) b.cu_seqlens.push_back(row + 1);
    if (row % 8 == 0) {
      b.masked_rows.push_back(row);
      b.masked_labels.push_back(row % 3000);
    }
  }
  return b;
}

// Bytes of tensors, more than before: at the end of a forward pass, and the most in forward and backward.
struct Measured {
  int64_t kept, most;
};
Measured measure_step(const PackedBatch& packed) {
  BertForPretraining model(config(), PretrainingHeads::kMlm);
  model.parameters().initialize(1, 0.02);
  const auto before = static_cast<int64_t>(memory_use().current_bytes);
  Tape tape;
  Run run;
  run.tape = &tape;
  run.training = true;
  set_sequences(run, packed);
  PretrainingLosses losses;
  const Var loss = model.loss(run, token_inputs(packed), pretraining_labels(packed), {1, 0}, losses, nullptr);
  const int64_t kept = static_cast<int64_t>(memory_use().current_bytes) - before;
  tape.backward(loss);
  return {kept, static_cast<int64_t>(memory_use().peak_bytes) - before};
}

TEST(MemoryPlan, CountsParametersAndDeterministicBlocks) {
  const MemoryPlan plan = plan_memory(config(), 1000, 512, 80, 3, 1);
  EXPECT_EQ(plan.parameters, 4 * 4 * 1000) << "values, gradients and two moments, 4 bytes each";
  EXPECT_EQ(plan_memory(config(), 1000, 512, 80, 3, 4).parameters, 4 * (2 * 1000 + 2 * 250))
      << "four share the moments";
  EXPECT_EQ(plan.slices, 3 * 4 * 1000);
  EXPECT_EQ(plan.total(), plan.parameters + plan.slices + plan.activations + plan.logits);
}

TEST(MemoryPlan, IsWhatAStepReallyTakesAndLittleMore) {
  const PackedBatch packed = batch();
  const MemoryPlan plan = plan_memory(config(), 0, packed.tokens(), packed.masked(), 0, 1);
  const Measured measured = measure_step(packed);
  EXPECT_LE(measured.most, plan.total() * 9 / 8) << "an eighth for size classes";
  EXPECT_GE(measured.kept, plan.total() / 2);
}

}  // namespace
}  // namespace bertha
