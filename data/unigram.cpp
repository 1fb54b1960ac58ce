#include "data/unigram.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/shard.h"

namespace bertha {

Unigram unigram_of(std::span<const int64_t> counts, std::span<const int32_t> special) {
  Unigram unigram;
  double sum = 0;  // of n log n
  for (int32_t id = 0; id < std::ssize(counts); ++id) {
    const int64_t count = counts[id];
    if (count == 0 || std::ranges::find(special, id) != special.end()) continue;
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

double unigram_entropy_of(const std::string& shard_directory) {
  ShardSet shards(shard_directory);
  if (shards.size() == 0) return 0;
  const Sequence first = shards.sequence(0);
  const std::array special{first.ids.front(), first.ids.back()};
  return unigram_of(shards.token_counts(), special).entropy;
}

}  // namespace bertha
