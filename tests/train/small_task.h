#pragma once

#include <memory>
#include <optional>

#include "data/batches.h"
#include "tests/data/memory_source.h"
#include "train/recipes/pretraining_task.h"

namespace bertha {

/// A model of 2 layers with everything it trains on, in memory.
class SmallTask {
 public:
  explicit SmallTask(MicroSlices slices, uint64_t seed = 1)
      : tokenizer_(SmallVocabulary::make(), true), model_(config(), Head::kMlm) {
    model_.parameters().initialize(seed, 0.1);
    const Masker masker({.probability = 0.4}, tokenizer_);
    const RunIdentity identity = {.model = "small",
                                  .vocabulary_hash = tokenizer_.vocabulary().hash(),
                                  .data_hash = 5,
                                  .seed = seed,
                                  .global_batch_size = slices.sequences()};
    task_.emplace(model_, tokenizer_, TrainingBatches(masked(memory_source(50), masker), seed, slices),
                  EvaluationBatches(masked(memory_source(13), masker), 4), identity);
  }

  PretrainingTask& operator*() { return *task_; }
  BertForPretraining& model() { return model_; }

 private:
  static BertConfig config() {
    BertConfig c;
    c.vocab_size = SmallVocabulary::kSize;
    c.hidden_size = 24;
    c.num_hidden_layers = 2;
    c.num_attention_heads = 2;
    c.intermediate_size = 40;
    c.max_position_embeddings = 16;
    return c;
  }

  WordPiece tokenizer_;
  BertForPretraining model_;
  std::optional<PretrainingTask> task_;
};

}  // namespace bertha
