#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "data/batches.h"
#include "tests/data/memory_source.h"
#include "train/recipes/pretraining_task.h"

namespace bertha {

/// A model of 2 layers with everything it trains on, in memory: 50 sequences, or pairs of them.
class SmallTask {
 public:
  explicit SmallTask(MicroSlices slices, uint64_t seed = 1, Head head = Head::kMlm)
      : tokenizer_(SmallVocabulary::make(), true), model_(config(), head) {
    model_.parameters().initialize(seed, 0.1);
    const Masker masker({.probability = 0.4}, tokenizer_);
    const RunIdentity identity = {.model = "small",
                                  .vocabulary_hash = tokenizer_.vocabulary().hash(),
                                  .data_hash = 5,
                                  .seed = seed,
                                  .global_batch_size = slices.sequences()};
    task_.emplace(model_, tokenizer_, TrainingBatches(masked(sequences(50, head), masker), seed, slices),
                  EvaluationBatches(masked(sequences(13, head), masker), 4), identity);
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

  static SequenceSource sequences(int64_t size, Head head) {
    SequenceSource source = memory_source(size);
    if (head == Head::kMlm) return source;
    source.read = [read = source.read](int64_t index) {
      Sequence sequence = read(index);
      sequence.second_begin = std::min<int32_t>(2, sequence.second_begin);
      sequence.next_sentence_label = static_cast<int32_t>(index % 2);
      return sequence;
    };
    return source;
  }

  WordPiece tokenizer_;
  BertForPretraining model_;
  std::optional<PretrainingTask> task_;
};

}  // namespace bertha
