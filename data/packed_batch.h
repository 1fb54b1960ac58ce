#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bertha {

struct MaskedSequence;

/// Sequences laid end to end with what is to be predicted; there is no padding. N tokens, B sequences, M labelled rows.
struct PackedBatch {
  std::vector<int32_t> input_ids, type_ids;  // (N)
  std::vector<int32_t> cu_seqlens = {0};     // (B + 1): first 0, last N
  std::vector<int32_t> labelled_rows;        // (M) rows to predict, ascending: masked tokens, or words to tag
  std::vector<int32_t> row_labels;           // (M) their original ids, or tags
  std::vector<int32_t> sequence_labels;  // (B), or of sets, or empty: next sentence, class, or which choice; -1: none
  std::vector<float> targets;            // (B, outputs), or empty: scores, or 0 and 1 for several labels
  std::vector<int32_t> sets = {0};       // (sets + 1), of a task: where each example's sequences begin and end
  std::vector<int32_t> starts, ends;     // (sets), or empty: rows of an answer's first and last token; -1: not known
  std::vector<uint64_t> row_keys;        // (N) identity of (sequence, position), for dropout

  int64_t tokens() const { return static_cast<int64_t>(input_ids.size()); }
  int64_t sequences() const { return static_cast<int64_t>(cu_seqlens.size()) - 1; }
  int64_t labelled() const { return static_cast<int64_t>(labelled_rows.size()); }

  bool operator==(const PackedBatch&) const = default;
};

/// Lays the tokens of one more sequence at the end; row keys are `number` << 16 | position.
/// Throws MismatchError where the sequence is longer than 65,535 tokens or its second segment begins outside it, and
/// ConfigError where the batch would hold more tokens than an int32 counts.
void append_tokens(PackedBatch& batch, std::span<const int32_t> ids, int64_t second_begin, int64_t number);

/// A masked sequence with its labels; the same errors.
void append(PackedBatch& batch, const MaskedSequence& masked, int64_t number);

}  // namespace bertha
