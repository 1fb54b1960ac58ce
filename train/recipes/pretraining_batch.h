#pragma once

#include "data/packed_batch.h"
#include "nn/bert_for_pretraining.h"

namespace bertha {

// A packed batch as the model takes it. The views live as long as the batch.

inline TokenInputs token_inputs(const PackedBatch& batch) {
  return {batch.input_ids, batch.type_ids};
}

inline PretrainingLabels pretraining_labels(const PackedBatch& batch) {
  return {batch.labelled_rows, batch.row_labels, batch.sequence_labels};
}

inline void set_sequences(Run& run, const PackedBatch& batch) {
  run.cu_seqlens = batch.cu_seqlens;
  run.row_keys = batch.row_keys;
}

}  // namespace bertha
