#pragma once

#include <algorithm>
#include <span>

#include "autograd/core/error.h"
#include "data/encoding.h"
#include "data/packed_batch.h"
#include "nn/bert_config.h"

namespace bertha {

/// Throws MismatchError for a text that is longer than the model's positions.
inline void check_length(const Encoding& text, const BertConfig& config) {
  const int64_t length = std::ssize(text.ids);
  check<MismatchError>(length <= config.longest_sequence(), "text: ", length, " tokens (the model has ",
                       config.longest_sequence(), " positions)");
}

/// Encoded texts as a packed batch. Throws as check_length does.
inline PackedBatch pack_texts(std::span<const Encoding> texts, const BertConfig& config) {
  PackedBatch batch;
  for (const Encoding& text : texts) {
    check_length(text, config);
    const auto second = std::ranges::find(text.type_ids, 1) - text.type_ids.begin();
    append_tokens(batch, text.ids, second, batch.sequences());
  }
  return batch;
}

}  // namespace bertha
