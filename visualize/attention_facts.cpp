#include "visualize/attention_facts.h"

#include <algorithm>
#include <cmath>

namespace bertha {
namespace {

constexpr int64_t kLongestSide = 64;

int64_t side_of(std::span<const float> weights) {
  return std::llround(std::sqrt(static_cast<double>(weights.size())));
}

double sum_at(std::span<const float> row, const std::vector<int64_t>& places) {
  double sum = 0;
  for (const int64_t place : places) sum += row[static_cast<size_t>(place)];
  return sum;
}

}  // namespace

HeadFacts head_facts(std::span<const float> weights, const SpecialPlaces& places) {
  const int64_t n = side_of(weights);
  HeadFacts sums;
  for (int64_t query = 0; query < n; ++query) {
    const auto row = weights.subspan(static_cast<size_t>(query * n), static_cast<size_t>(n));
    for (int64_t key = 0; key < n; ++key) {
      const double weight = row[static_cast<size_t>(key)];
      if (weight > 0) sums.entropy -= weight * std::log(weight);
      sums.distance += weight * static_cast<double>(std::abs(query - key));
    }
    sums.first += sum_at(row, places.first);
    sums.separator += sum_at(row, places.separators);
  }
  const auto rows = static_cast<double>(n);
  return {sums.entropy / rows, sums.distance / rows, sums.first / rows, sums.separator / rows,
          std::ranges::max(weights)};
}

int64_t thumbnail_side(int64_t tokens) {
  return std::min(tokens, kLongestSide);
}

std::vector<float> thumbnail(std::span<const float> weights) {
  const int64_t n = side_of(weights);
  const int64_t side = thumbnail_side(n);
  std::vector<float> largest(static_cast<size_t>(side * side), 0.0F);
  for (int64_t query = 0; query < n; ++query) {
    for (int64_t key = 0; key < n; ++key) {
      float& cell = largest[static_cast<size_t>(query * side / n * side + key * side / n)];
      cell = std::max(cell, weights[static_cast<size_t>(query * n + key)]);
    }
  }
  return largest;
}

}  // namespace bertha
