#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bertha {

/// What one head does with a text of n tokens, as means over the queries.
struct HeadFacts {
  double entropy = 0;    // of a query's weights, in nats: 0 one key, ln n all alike
  double distance = 0;   // from the query to its keys by weight, in tokens
  double first = 0;      // weight on [CLS], in [0, 1]
  double separator = 0;  // weight on [SEP]
  double largest = 0;    // the largest weight of all
};

/// Where a text has its tokens of each kind.
struct SpecialPlaces {
  std::vector<int64_t> first, separators;
};

/// weights (n, n): queries by keys.
HeadFacts head_facts(std::span<const float> weights, const SpecialPlaces& places);

/// (side, side), row-major: the largest weight in each part of a head's (n, n), where side = thumbnail_side(n).
std::vector<float> thumbnail(std::span<const float> weights);
/// At most 64.
int64_t thumbnail_side(int64_t tokens);

}  // namespace bertha
