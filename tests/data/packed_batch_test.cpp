#include "data/packed_batch.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "autograd/core/error.h"
#include "data/masking.h"

namespace bertha {
namespace {

using Ids = std::vector<int32_t>;

MaskedSequence unmasked(Ids ids, int32_t second_begin, int32_t next_sentence_label) {
  MaskedSequence masked;
  masked.sequence.ids = std::move(ids);
  masked.sequence.second_begin = second_begin;
  masked.sequence.next_sentence_label = next_sentence_label;
  return masked;
}

MaskedSequence with_labels(MaskedSequence masked, Ids positions, Ids labels) {
  masked.positions = std::move(positions);
  masked.labels = std::move(labels);
  return masked;
}

TEST(PackedBatch, IsEmptyAtFirst) {
  const PackedBatch batch;
  EXPECT_EQ(batch.sequences(), 0);
  EXPECT_EQ(batch.tokens(), 0);
  EXPECT_EQ(batch.labelled(), 0);
}

TEST(PackedBatch, LaysSequencesEndToEnd) {
  PackedBatch batch;
  append(batch, with_labels(unmasked({2, 10, 4, 3, 12, 3}, 4, 1), {2}, {11}), 7);
  append(batch, unmasked({2, 20, 3}, 3, 0), 0);
  append(batch, with_labels(unmasked({2, 4, 4, 3}, 3, 1), {1, 2}, {30, 31}), 0xABCDEF012345);
  EXPECT_EQ(batch.sequences(), 3);
  EXPECT_EQ(batch.tokens(), 13);
  EXPECT_EQ(batch.labelled(), 3);
  EXPECT_EQ(batch.input_ids, (Ids{2, 10, 4, 3, 12, 3, 2, 20, 3, 2, 4, 4, 3}));
  EXPECT_EQ(batch.type_ids, (Ids{0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(batch.cu_seqlens, (Ids{0, 6, 9, 13}));
  EXPECT_EQ(batch.labelled_rows, (Ids{2, 10, 11}));
  EXPECT_EQ(batch.row_labels, (Ids{11, 30, 31}));
  EXPECT_EQ(batch.sequence_labels, (Ids{1, 0, 1}));
  const std::vector<uint64_t> keys = {0x70000,
                                      0x70001,
                                      0x70002,
                                      0x70003,
                                      0x70004,
                                      0x70005,
                                      0,
                                      1,
                                      2,
                                      0xABCDEF0123450000,
                                      0xABCDEF0123450001,
                                      0xABCDEF0123450002,
                                      0xABCDEF0123450003};
  EXPECT_EQ(batch.row_keys, keys);
}

TEST(PackedBatch, HasNoNextSentenceLabelsWithoutThatObjective) {
  PackedBatch batch;
  append(batch, unmasked({2, 10, 3}, 3, -1), 0);
  EXPECT_TRUE(batch.sequence_labels.empty());
}

TEST(PackedBatch, RefusesASequenceThatRowKeysCannotNumber) {
  PackedBatch batch;
  append(batch, unmasked(Ids(65535, 5), 65535, -1), 1);
  EXPECT_THROW(append(batch, unmasked(Ids(65536, 5), 65536, -1), 2), MismatchError);
  EXPECT_EQ(batch.sequences(), 1);
}

TEST(PackedBatch, RefusesASecondSegmentOutsideTheSequence) {
  PackedBatch batch;
  EXPECT_THROW(append(batch, unmasked({2, 10, 3}, 4, -1), 0), MismatchError);
  EXPECT_THROW(append(batch, unmasked({2, 10, 3}, -1, -1), 0), MismatchError);
  EXPECT_EQ(batch, PackedBatch{});
}

}  // namespace
}  // namespace bertha
