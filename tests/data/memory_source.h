#pragma once

#include "data/sequence_source.h"
#include "tests/data/small_vocabulary.h"

namespace bertha {

/// Sequences of various lengths made on the spot; sequence i is [CLS] w.. [SEP] of 3 to 11 tokens.
inline SequenceSource memory_source(int64_t size) {
  return {size, 4, [](int64_t index) {
            Sequence sequence{{SmallVocabulary::kCls}};
            for (int64_t i = 0; i <= index % 9; ++i) {
              sequence.ids.push_back(SmallVocabulary::word(static_cast<int32_t>((index + i) % 20)));
            }
            sequence.ids.push_back(SmallVocabulary::kSep);
            sequence.second_begin = static_cast<int32_t>(sequence.ids.size());
            return sequence;
          }};
}

}  // namespace bertha
