#pragma once

#include <cstdint>
#include <vector>

namespace bertha {

struct MaskedSequence;

/// Masked sequences laid end to end; there is no padding. N tokens, B sequences, M masked tokens.
struct PackedBatch {
  std::vector<int32_t> input_ids, type_ids, position_ids;  // (N)
  std::vector<int32_t> cu_seqlens = {0};                   // (B + 1): first 0, last N
  std::vector<int32_t> masked_rows;                        // (M) rows of the selected tokens, ascending
  std::vector<int32_t> masked_labels;                      // (M) their original ids
  std::vector<int32_t> next_sentence_labels;               // (B), or empty
  std::vector<uint64_t> row_keys;                          // (N) identity of (sample, position), for dropout

  int64_t tokens() const { return static_cast<int64_t>(input_ids.size()); }
  int64_t sequences() const { return static_cast<int64_t>(cu_seqlens.size()) - 1; }
  int64_t masked() const { return static_cast<int64_t>(masked_rows.size()); }

  bool operator==(const PackedBatch&) const = default;
};

/// Lays one more sequence at the end; row keys are `sample` << 16 | position.
/// Throws MismatchError where the sequence is longer than 65,535 tokens or its second segment begins outside it, and
/// ConfigError where the batch would hold more tokens than an int32 counts.
void append(PackedBatch& batch, const MaskedSequence& masked, int64_t sample);

}  // namespace bertha
