#pragma once

#include <cstdint>

#include "data/masking.h"
#include "data/micro_slices.h"
#include "data/packed_batch.h"
#include "data/sampler.h"
#include "data/sequence_source.h"

namespace bertha {

/// The batches of a training run: a pure function of (data, seed, step, slice), whoever asks and in whatever order.
/// Training consumes one endless stream of samples, epoch after epoch; step s (from 0) takes its positions s G to
/// (s + 1) G - 1, G the global batch size, and a step may begin one epoch and end in the next.
class TrainingBatches {
 public:
  TrainingBatches(SequenceSource source, Masker masker, uint64_t seed, MicroSlices global_batch);

  int64_t slices() const { return global_batch_.count(); }
  PackedBatch at(int64_t step, int64_t slice) const;

 private:
  void append_position(PackedBatch& batch, int64_t position) const;

  SequenceSource source_;
  Masker masker_;
  uint64_t seed_;
  MicroSlices global_batch_;
  SampleOrder order_;
};

/// Every sequence once, in stored order, with masks that never change; slices hold at most `batch_size` sequences.
class EvaluationBatches {
 public:
  EvaluationBatches(SequenceSource source, Masker masker, int64_t batch_size);

  int64_t slices() const { return slices_.count(); }
  PackedBatch at(int64_t slice) const;

 private:
  SequenceSource source_;
  Masker masker_;
  MicroSlices slices_;
};

}  // namespace bertha
