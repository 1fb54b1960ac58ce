#include "visualize/attention_rollout.h"

#include <numeric>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

void normalise(std::span<double> row) {
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  for (double& x : row) x /= sum;
}

std::vector<double> with_residual(std::vector<double> mean, int64_t n) {
  for (double& x : mean) x *= 0.5;
  for (int64_t i = 0; i < n; ++i) mean[static_cast<size_t>(i * n + i)] += 0.5;
  for (int64_t i = 0; i < n; ++i)
    normalise(std::span(mean).subspan(static_cast<size_t>(i * n), static_cast<size_t>(n)));
  return mean;
}

// (n, n) = a b
std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, int64_t n) {
  std::vector<double> c(a.size(), 0.0);
  parallel_for(n, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t k = 0; k < n; ++k) {
        const double factor = a[static_cast<size_t>(i * n + k)];
        for (int64_t j = 0; j < n; ++j) {
          c[static_cast<size_t>(i * n + j)] += factor * b[static_cast<size_t>(k * n + j)];
        }
      }
    }
  });
  return c;
}

}  // namespace

std::vector<double> mean_of_heads(const LayerAttention& layer) {
  std::vector<double> mean(static_cast<size_t>(layer.tokens * layer.tokens), 0.0);
  for (int64_t head = 0; head < layer.heads; ++head) {
    const std::span<const float> weights = layer.head(head);
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += weights[i];
  }
  for (double& x : mean) x /= static_cast<double>(layer.heads);
  return mean;
}

void AttentionRollout::add(const LayerAttention& layer) {
  std::vector<double> step = with_residual(mean_of_heads(layer), layer.tokens);
  matrix_ = matrix_.empty() ? std::move(step) : product(step, matrix_, layer.tokens);
}

}  // namespace bertha
