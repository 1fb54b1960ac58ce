#pragma once

#include <cstdint>

#include "data/micro_slices.h"
#include "data/packed_batch.h"
#include "data/sampler.h"
#include "data/sequence_source.h"

namespace bertha {

/// The batches of a training run: a pure function of (data, seed, batch, slice), whoever asks and in whatever order.
/// Training consumes one endless stream of samples, epoch after epoch; batch b (from 0) takes its positions b G to
/// (b + 1) G - 1, G the global batch size, and a batch may begin one epoch and end in the next.
class TrainingBatches {
 public:
  TrainingBatches(SampleSource source, uint64_t seed, MicroSlices global_batch);

  int64_t slices() const { return global_batch_.count(); }
  PackedBatch at(int64_t batch, int64_t slice) const;

 private:
  void append_position(PackedBatch& batch, int64_t position) const;

  SampleSource source_;
  uint64_t seed_;
  MicroSlices global_batch_;
  SampleOrder order_;
};

/// Samples that a model is asked about at a time; fixed, so that results do not depend on ranks or the training batch.
inline constexpr int64_t kInferenceBatchSize = 32;

/// Every sample once, in stored order, with masks that never change; slices hold at most `batch_size` of them.
class EvaluationBatches {
 public:
  EvaluationBatches(SampleSource source, int64_t batch_size);

  int64_t slices() const { return slices_.count(); }
  PackedBatch at(int64_t slice) const;

 private:
  SampleSource source_;
  MicroSlices slices_;
};

}  // namespace bertha
