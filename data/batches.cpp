#include "data/batches.h"

#include <utility>

namespace bertha {

TrainingBatches::TrainingBatches(SampleSource source, uint64_t seed, MicroSlices global_batch)
    : source_(std::move(source)),
      seed_(seed),
      global_batch_(global_batch),
      order_(source_.size, source_.chunk_size, seed) {}

PackedBatch TrainingBatches::at(int64_t batch, int64_t slice) const {
  const IndexRange places = global_batch_.at(slice);
  const int64_t first_position = batch * global_batch_.sequences();
  PackedBatch packed;
  for (int64_t i = places.begin; i < places.end; ++i) append_position(packed, first_position + i);
  return packed;
}

void TrainingBatches::append_position(PackedBatch& batch, int64_t position) const {
  const int64_t epoch = position / order_.size();
  const int64_t sample = order_.at(epoch, position % order_.size());
  source_.append(batch, sample, training_masks(seed_, epoch, sample));
}

EvaluationBatches::EvaluationBatches(SampleSource source, int64_t batch_size)
    : source_(std::move(source)), slices_(source_.size, batch_size) {}

PackedBatch EvaluationBatches::at(int64_t slice) const {
  const IndexRange samples = slices_.at(slice);
  PackedBatch batch;
  for (int64_t sample = samples.begin; sample < samples.end; ++sample) {
    source_.append(batch, sample, evaluation_masks(sample));
  }
  return batch;
}

}  // namespace bertha
