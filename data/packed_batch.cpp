#include "data/packed_batch.h"

#include <limits>

#include "autograd/core/error.h"
#include "data/masking.h"

namespace bertha {
namespace {

constexpr int kPositionBits = 16;
constexpr int64_t kLongestSequence = (int64_t{1} << kPositionBits) - 1;

void check_fits(const PackedBatch& batch, const Sequence& sequence, int64_t sample) {
  const auto length = static_cast<int64_t>(sequence.ids.size());
  check<MismatchError>(length <= kLongestSequence, "packing: sequence ", sample, " has ", length,
                       " tokens (expected at most ", kLongestSequence, ")");
  check<MismatchError>(sequence.second_begin >= 0 && sequence.second_begin <= length, "packing: sequence ", sample,
                       " of ", length, " tokens has its second segment at ", sequence.second_begin);
  check<ConfigError>(batch.tokens() + length <= std::numeric_limits<int32_t>::max(), "packing: a batch of ",
                     batch.tokens() + length, " tokens is too large (expected less than 2^31; use a smaller batch)");
}

}  // namespace

void append(PackedBatch& batch, const MaskedSequence& masked, int64_t sample) {
  const Sequence& sequence = masked.sequence;
  check_fits(batch, sequence, sample);
  const auto first_row = static_cast<int32_t>(batch.tokens());
  const auto length = static_cast<int32_t>(sequence.ids.size());

  batch.input_ids.insert(batch.input_ids.end(), sequence.ids.begin(), sequence.ids.end());
  for (int32_t position = 0; position < length; ++position) {
    batch.type_ids.push_back(position >= sequence.second_begin ? 1 : 0);
    batch.position_ids.push_back(position);
    batch.row_keys.push_back(static_cast<uint64_t>(sample) << kPositionBits | static_cast<uint64_t>(position));
  }
  batch.cu_seqlens.push_back(first_row + length);
  for (const int32_t position : masked.positions) batch.masked_rows.push_back(first_row + position);
  batch.masked_labels.insert(batch.masked_labels.end(), masked.labels.begin(), masked.labels.end());
  if (sequence.next_sentence_label >= 0) batch.next_sentence_labels.push_back(sequence.next_sentence_label);
}

}  // namespace bertha
