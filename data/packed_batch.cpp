#include "data/packed_batch.h"

#include <limits>

#include "autograd/core/error.h"
#include "data/masking.h"

namespace bertha {
namespace {

constexpr int kPositionBits = 16;
constexpr int64_t kLongestSequence = (int64_t{1} << kPositionBits) - 1;

void check_fits(const PackedBatch& batch, int64_t length, int64_t second_begin, int64_t number) {
  check<MismatchError>(length <= kLongestSequence, "packing: sequence ", number, " has ", length,
                       " tokens (expected at most ", kLongestSequence, ")");
  check<MismatchError>(second_begin >= 0 && second_begin <= length, "packing: sequence ", number, " of ", length,
                       " tokens has its second segment at ", second_begin);
  check<ConfigError>(batch.tokens() + length <= std::numeric_limits<int32_t>::max(), "packing: a batch of ",
                     batch.tokens() + length, " tokens is too large (expected less than 2^31; use a smaller batch)");
}

}  // namespace

void append_tokens(PackedBatch& batch, std::span<const int32_t> ids, int64_t second_begin, int64_t number) {
  const int64_t length = std::ssize(ids);
  check_fits(batch, length, second_begin, number);
  batch.input_ids.insert(batch.input_ids.end(), ids.begin(), ids.end());
  for (int64_t position = 0; position < length; ++position) {
    batch.type_ids.push_back(position >= second_begin ? 1 : 0);
    batch.row_keys.push_back(static_cast<uint64_t>(number) << kPositionBits | static_cast<uint64_t>(position));
  }
  batch.cu_seqlens.push_back(static_cast<int32_t>(batch.tokens()));
}

void append(PackedBatch& batch, const MaskedSequence& masked, int64_t number) {
  const Sequence& sequence = masked.sequence;
  const auto first_row = static_cast<int32_t>(batch.tokens());
  append_tokens(batch, sequence.ids, sequence.second_begin, number);
  for (const int32_t position : masked.positions) batch.labelled_rows.push_back(first_row + position);
  batch.row_labels.insert(batch.row_labels.end(), masked.labels.begin(), masked.labels.end());
  if (sequence.next_sentence_label >= 0) batch.sequence_labels.push_back(sequence.next_sentence_label);
}

}  // namespace bertha
