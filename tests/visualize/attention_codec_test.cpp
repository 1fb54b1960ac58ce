#include "visualize/attention_codec.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/visualize/made_attention.h"

namespace bertha {
namespace {

// What the description of the format says a page reads, written once more: (2, A, n, D).
std::vector<double> unpack(const PackedLayer& packed, const LayerAttention& layer) {
  const size_t count = static_cast<size_t>(2 * layer.heads * layer.tokens);
  const size_t size = static_cast<size_t>(layer.projections.cols() / 3 / layer.heads);
  const auto byte = [&](size_t plane, size_t i) {
    return static_cast<uint32_t>(packed.bytes[4 * count + plane * count * size + i]);
  };
  std::vector<double> rows;
  for (size_t i = 0; i < count * size; ++i) {
    float scale = 0;
    std::memcpy(&scale, packed.bytes.data() + 4 * (i / size), sizeof(scale));
    const uint32_t rest = packed.bits > 16 ? byte(2, i) : 0;
    const uint32_t number = (byte(0, i) << 8 | byte(1, i)) << (packed.bits - 16) | rest;
    rows.push_back((static_cast<double>(number) - std::exp2(packed.bits - 1)) * scale);
  }
  return rows;
}

// Of the queries and keys that the page has from the model's.
double largest_difference(const PackedLayer& packed, const LayerAttention& layer) {
  const std::vector<double> rows = unpack(packed, layer);
  const int64_t hidden = layer.projections.cols() / 3, size = hidden / layer.heads;
  double largest = 0;
  for (int64_t i = 0; i < std::ssize(rows); ++i) {
    const int64_t d = i % size, token = i / size % layer.tokens, head = i / size / layer.tokens % layer.heads;
    const int64_t side = i / size / layer.tokens / layer.heads;
    const float known = layer.projections.data<float>()[token * 3 * hidden + side * hidden + head * size + d];
    largest = std::max(largest, std::abs(rows[static_cast<size_t>(i)] - known));
  }
  return largest;
}

TEST(AttentionCodec, QueriesAndKeysComeBackWithinHalfAUnit) {
  for (const double size : {0.5, 3.0, 12.0}) {
    const LayerAttention layer = random_attention(13, 3, 8, size, 1);
    const PackedLayer packed = pack_layer(layer);
    EXPECT_LE(largest_difference(packed, layer), 0.51 * size / (std::exp2(packed.bits - 1) - 1)) << size;
  }
}

TEST(AttentionCodec, SharperAttentionTakesMoreBitsForTheSameError) {
  const PackedLayer mild = pack_layer(random_attention(20, 2, 16, 0.2, 1));
  const PackedLayer sharp = pack_layer(random_attention(20, 2, 16, 6, 1));
  EXPECT_EQ(mild.bits, 16);
  EXPECT_GT(sharp.bits, 16);
  EXPECT_LE(mild.error, 2e-6);
  EXPECT_LE(sharp.error, 2e-6);
  EXPECT_GT(sharp.error, 1e-8) << "it is measured";
}

TEST(AttentionCodec, TheErrorIsThatOfTheWeightsWhateverTheyAre) {
  LayerAttention layer = random_attention(6, 1, 4, 1, 2);
  layer.probabilities.data<float>()[7] += 0.25F;
  const PackedLayer packed = pack_layer(layer);
  EXPECT_NEAR(packed.error, 0.25, 1e-5);
  EXPECT_EQ(packed.bits, 24);
}

TEST(AttentionCodec, ZerosStayZeros) {
  LayerAttention layer = random_attention(3, 1, 4, 1, 3);
  layer.projections.fill_zero();
  for (float& weight : layer.probabilities.span<float>()) weight = 1.0F / 3;
  const PackedLayer packed = pack_layer(layer);
  EXPECT_LE(packed.error, 1e-7);
  EXPECT_EQ(largest_difference(packed, layer), 0);
}

}  // namespace
}  // namespace bertha
