#include "data/unigram.h"

#include <algorithm>
#include <cmath>

namespace bertha {

Unigram unigram_of(std::span<const int64_t> counts, const Tokenizer& tokenizer) {
  Unigram unigram;
  double sum = 0;  // of n log n
  for (int32_t id = 0; id < std::ssize(counts); ++id) {
    const int64_t count = counts[id];
    if (count == 0 || tokenizer.is_special(id)) continue;
    unigram.tokens += count;
    ++unigram.distinct;
    sum += static_cast<double>(count) * std::log(static_cast<double>(count));
    if (unigram.most_frequent < 0 || count > counts[unigram.most_frequent]) unigram.most_frequent = id;
  }
  if (unigram.tokens == 0) return unigram;
  const auto tokens = static_cast<double>(unigram.tokens);
  unigram.most_frequent_share = static_cast<double>(counts[unigram.most_frequent]) / tokens;
  unigram.entropy = std::max(0.0, std::log(tokens) - sum / tokens);
  return unigram;
}

}  // namespace bertha
