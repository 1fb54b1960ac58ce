#include "data/batches.h"

#include <gtest/gtest.h>

#include <vector>

#include "autograd/core/error.h"
#include "tests/data/memory_source.h"
#include "tests/data/premasked_file.h"
#include "tests/data/small_vocabulary.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

SampleSource samples(int64_t size) {
  return masked(memory_source(size), Masker({}, SmallVocabulary::tokenizer()));
}

TrainingBatches training_batches(int64_t size, uint64_t seed, MicroSlices global_batch) {
  return TrainingBatches(samples(size), seed, global_batch);
}

std::vector<int64_t> samples_of(const PackedBatch& batch) {
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < batch.sequences(); ++i) {
    samples.push_back(static_cast<int64_t>(batch.row_keys[batch.cu_seqlens[i]] >> 16));
  }
  return samples;
}

// The ids before masking, sequence by sequence.
std::vector<std::vector<int32_t>> unmasked(PackedBatch batch) {
  for (int64_t i = 0; i < batch.labelled(); ++i) batch.input_ids[batch.labelled_rows[i]] = batch.row_labels[i];
  std::vector<std::vector<int32_t>> sequences;
  for (int64_t i = 0; i < batch.sequences(); ++i) {
    const auto begin = batch.input_ids.begin();
    sequences.emplace_back(begin + batch.cu_seqlens[i], begin + batch.cu_seqlens[i + 1]);
  }
  return sequences;
}

TEST(TrainingBatches, LoseNothingOverEpochBoundaries) {
  constexpr int64_t kSize = 23;
  constexpr int64_t kEpochs = 10;
  const TrainingBatches batches = training_batches(kSize, 1, MicroSlices(10, 4));
  std::vector<int64_t> stream;
  for (int64_t step = 0; step < kSize * kEpochs / 10; ++step) {
    for (int64_t slice = 0; slice < batches.slices(); ++slice) {
      for (const int64_t sample : samples_of(batches.at(step, slice))) stream.push_back(sample);
    }
  }
  ASSERT_EQ(stream.size(), static_cast<size_t>(kSize * kEpochs));
  const SampleOrder order(kSize, 4, 1);
  for (int64_t position = 0; position < kSize * kEpochs; ++position) {
    EXPECT_EQ(stream[position], order.at(position / kSize, position % kSize));
  }
}

TEST(TrainingBatches, HoldEverySequenceWhole) {
  const SequenceSource source = memory_source(23);
  const TrainingBatches batches = training_batches(23, 1, MicroSlices(10, 4));
  for (int64_t step = 0; step < 5; ++step) {
    const PackedBatch batch = batches.at(step, 1);
    const std::vector<int64_t> samples = samples_of(batch);
    const auto sequences = unmasked(batch);
    ASSERT_EQ(sequences.size(), 4u);
    for (size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], source.read(samples[i]).ids);
  }
}

TEST(TrainingBatches, DoNotDependOnWhoAsksOrWhen) {
  const TrainingBatches batches = training_batches(50, 1, MicroSlices(16, 4));
  const PackedBatch late = batches.at(40, 3);
  const PackedBatch early = batches.at(0, 0);
  EXPECT_EQ(training_batches(50, 1, MicroSlices(16, 4)).at(0, 0), early);
  EXPECT_EQ(training_batches(50, 1, MicroSlices(16, 4)).at(40, 3), late);
  EXPECT_NE(training_batches(50, 2, MicroSlices(16, 4)).at(0, 0), early);
}

TEST(TrainingBatches, DoNotDependOnTheSizeOfMicroBatches) {
  const TrainingBatches whole = training_batches(50, 1, MicroSlices(12, 12));
  const TrainingBatches cut = training_batches(50, 1, MicroSlices(12, 5));
  std::vector<int32_t> ids;
  std::vector<uint64_t> keys;
  for (int64_t slice = 0; slice < 3; ++slice) {
    const PackedBatch batch = cut.at(7, slice);
    ids.insert(ids.end(), batch.input_ids.begin(), batch.input_ids.end());
    keys.insert(keys.end(), batch.row_keys.begin(), batch.row_keys.end());
  }
  EXPECT_EQ(whole.at(7, 0).input_ids, ids);
  EXPECT_EQ(whole.at(7, 0).row_keys, keys);
}

TEST(TrainingBatches, MaskASampleAnewInEveryEpoch) {
  const TrainingBatches batches = training_batches(1, 1, MicroSlices(1, 1));  // each step is an epoch
  int64_t selected = 0;
  for (int64_t step = 0; step < 200; ++step) selected += batches.at(step, 0).labelled();
  EXPECT_GT(selected, 10);
  EXPECT_LT(selected, 60);
}

TEST(TrainingBatches, KeepTheMasksThatSamplesAreStoredWith) {
  const TemporaryDirectory folder;
  write_premasked(folder / "masked.h5", two_samples());
  const auto set = std::make_shared<PremaskedSet>(folder.path(), 12, Objective::kMlmNsp, check_premasked_file);
  const TrainingBatches batches(premasked_source(set), 1, MicroSlices(2, 2));  // each step is an epoch
  for (int64_t step = 0; step < 20; ++step) {
    const PackedBatch batch = batches.at(step, 0);
    const bool swapped = samples_of(batch).front() == 1;
    EXPECT_EQ(batch.row_labels, swapped ? (std::vector<int32_t>{11, 7, 8}) : (std::vector<int32_t>{8, 11, 7}));
    EXPECT_EQ(batch.labelled_rows, swapped ? (std::vector<int32_t>{3, 6, 10}) : (std::vector<int32_t>{2, 9, 12}));
    EXPECT_EQ(batch.sequence_labels, swapped ? (std::vector<int32_t>{1, 0}) : (std::vector<int32_t>{0, 1}));
  }
}

TEST(EvaluationBatches, HoldEverySequenceOnceInStoredOrder) {
  const SequenceSource source = memory_source(23);
  const EvaluationBatches batches(samples(23), 5);
  ASSERT_EQ(batches.slices(), 5);
  int64_t next = 0;
  for (int64_t slice = 0; slice < batches.slices(); ++slice) {
    const PackedBatch batch = batches.at(slice);
    EXPECT_LE(batch.sequences(), 5);
    const std::vector<int64_t> samples = samples_of(batch);
    const auto sequences = unmasked(batch);
    for (size_t i = 0; i < samples.size(); ++i, ++next) {
      EXPECT_EQ(samples[i], next);
      EXPECT_EQ(sequences[i], source.read(next).ids);
    }
  }
  EXPECT_EQ(next, 23);
}

TEST(EvaluationBatches, KeepTheirMasksWhateverTheBatchSize) {
  const EvaluationBatches whole(samples(23), 23);
  const EvaluationBatches halves(samples(23), 12);
  std::vector<int32_t> ids = halves.at(0).input_ids;
  const std::vector<int32_t> rest = halves.at(1).input_ids;
  ids.insert(ids.end(), rest.begin(), rest.end());
  EXPECT_EQ(whole.at(0).input_ids, ids);
  EXPECT_GT(whole.at(0).labelled(), 0);
}

TEST(EvaluationBatches, RefuseAnEmptySet) {
  EXPECT_THROW(EvaluationBatches(samples(0), 5), ConfigError);
  EXPECT_THROW(training_batches(0, 1, MicroSlices(4, 4)), ConfigError);
}

}  // namespace
}  // namespace bertha
