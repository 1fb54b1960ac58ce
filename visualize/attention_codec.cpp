#include "visualize/attention_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/core/parallel.h"

namespace bertha {
namespace {

constexpr int kFewestBits = 16, kMostBits = 24;
constexpr double kLargestError = 2e-6;

// (2, A, n, D): the rows of queries, then of keys, head by head.
std::vector<float> rows_by_head(const LayerAttention& layer) {
  const int64_t hidden = layer.projections.cols() / 3, size = hidden / layer.heads;
  std::vector<float> rows;
  rows.reserve(static_cast<size_t>(2 * layer.tokens * hidden));
  for (int64_t side = 0; side < 2; ++side) {
    for (int64_t head = 0; head < layer.heads; ++head) {
      for (int64_t token = 0; token < layer.tokens; ++token) {
        const float* from = layer.projections.data<float>() + token * 3 * hidden + side * hidden + head * size;
        rows.insert(rows.end(), from, from + size);
      }
    }
  }
  return rows;
}

float scale_of(std::span<const float> row, int bits) {
  float largest = 0;
  for (const float x : row) largest = std::max(largest, std::abs(x));
  return largest / static_cast<float>((1 << (bits - 1)) - 1);
}

// The number of units that stands for x, in [-2^(bits - 1), 2^(bits - 1)).
int32_t units(float x, float scale, int bits) {
  if (scale == 0) return 0;
  const int32_t most = (1 << (bits - 1)) - 1;
  return std::clamp(static_cast<int32_t>(std::lround(double{x} / scale)), -most, most);
}

class Packing {
 public:
  Packing(const std::vector<float>& rows, int64_t size, int bits)
      : bits_(bits), scale_bytes_(rows.size() / static_cast<size_t>(size) * sizeof(float)), plane_(rows.size()) {
    result_.bits = bits;
    result_.bytes.resize(scale_bytes_ + (bits > 16 ? 3 : 2) * plane_);
    unpacked_.resize(rows.size());
    for (size_t row = 0; row < scale_bytes_ / sizeof(float); ++row) {
      pack(row, std::span(rows).subspan(row * static_cast<size_t>(size), static_cast<size_t>(size)));
    }
  }

  PackedLayer&& take() && { return std::move(result_); }
  /// What the page makes of it.
  const std::vector<float>& unpacked() const { return unpacked_; }

 private:
  void pack(size_t row, std::span<const float> values) {
    const float scale = scale_of(values, bits_);
    std::memcpy(result_.bytes.data() + row * sizeof(float), &scale, sizeof(float));
    for (size_t i = 0; i < values.size(); ++i) {
      const int32_t count = units(values[i], scale, bits_);
      put(row * values.size() + i, static_cast<uint32_t>(count + (1 << (bits_ - 1))));
      unpacked_[row * values.size() + i] = static_cast<float>(count * double{scale});
    }
  }

  void put(size_t place, uint32_t number) {
    std::byte* planes = result_.bytes.data() + scale_bytes_ + place;
    const int rest = bits_ - 16;
    planes[0] = static_cast<std::byte>(number >> (bits_ - 8));
    planes[plane_] = static_cast<std::byte>(number >> rest);
    if (rest > 0) planes[2 * plane_] = static_cast<std::byte>(number & ((1U << rest) - 1));
  }

  int bits_;
  size_t scale_bytes_, plane_;
  PackedLayer result_;
  std::vector<float> unpacked_;
};

// The rows of one head, (n, D), as columns, (D, n).
std::vector<double> transposed(std::span<const float> rows, size_t size) {
  const size_t n = rows.size() / size;
  std::vector<double> columns(rows.size());
  for (size_t row = 0; row < n; ++row) {
    for (size_t d = 0; d < size; ++d) columns[d * n + row] = rows[row * size + d];
  }
  return columns;
}

// The weights of one query, as the page computes them.
void attend(std::span<const float> query, const std::vector<double>& keys, std::vector<double>& weights) {
  const size_t n = weights.size();
  std::ranges::fill(weights, 0.0);
  for (size_t d = 0; d < query.size(); ++d) {
    for (size_t key = 0; key < n; ++key) weights[key] += query[d] * keys[d * n + key];
  }
  const double largest = std::ranges::max(weights), divisor = std::sqrt(static_cast<double>(query.size()));
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp((weight - largest) / divisor);
  for (double& weight : weights) weight /= sum;
}

double error_of_head(std::span<const float> known, std::span<const float> queries, std::span<const float> keys,
                     size_t size) {
  const std::vector<double> columns = transposed(keys, size);
  std::vector<double> weights(queries.size() / size);
  double error = 0;
  for (size_t row = 0; row < weights.size(); ++row) {
    attend(queries.subspan(row * size, size), columns, weights);
    for (size_t key = 0; key < weights.size(); ++key) {
      error = std::max(error, std::abs(weights[key] - known[row * weights.size() + key]));
    }
  }
  return error;
}

double largest_error(const LayerAttention& layer, std::span<const float> rows) {
  const size_t of_head = rows.size() / 2 / static_cast<size_t>(layer.heads);
  const size_t size = of_head / static_cast<size_t>(layer.tokens);
  std::vector<double> errors(static_cast<size_t>(layer.heads));
  parallel_for(layer.heads, 1, [&](int64_t begin, int64_t end) {
    for (auto head = static_cast<size_t>(begin); head < static_cast<size_t>(end); ++head) {
      errors[head] = error_of_head(layer.head(static_cast<int64_t>(head)), rows.subspan(head * of_head, of_head),
                                   rows.subspan(rows.size() / 2 + head * of_head, of_head), size);
    }
  });
  return std::ranges::max(errors);
}

}  // namespace

PackedLayer pack_layer(const LayerAttention& layer) {
  const std::vector<float> rows = rows_by_head(layer);
  const int64_t size = layer.projections.cols() / 3 / layer.heads;
  for (int bits = kFewestBits;;) {
    Packing packing(rows, size, bits);
    const double error = largest_error(layer, packing.unpacked());
    if (error <= kLargestError || bits == kMostBits) {
      PackedLayer packed = std::move(packing).take();
      packed.error = error;
      return packed;
    }
    // A bit more halves the error.
    const int missing = static_cast<int>(std::ceil(std::log2(error / kLargestError)));
    bits = std::min(kMostBits, bits + std::max(1, missing));
  }
}

}  // namespace bertha
