#include "train/layer_decay.h"

#include <gtest/gtest.h>

namespace bertha {
namespace {

TEST(LayerDecay, FallsFromTheHeadsToTheEmbeddings) {
  const auto scale = layer_decay(12, 0.5);
  const auto of = [&](const char* name) { return scale({.name = name, .shape = {1}, .offset = 0}); };
  EXPECT_EQ(of("classifier.weight"), 1);
  EXPECT_EQ(of("bert.pooler.dense.weight"), 1);
  EXPECT_EQ(of("bert.encoder.layer.11.output.dense.bias"), 0.5);
  EXPECT_EQ(of("roberta.encoder.layer.10.output.dense.bias"), 0.25);
  EXPECT_EQ(of("distilbert.transformer.layer.0.ffn.lin1.weight"), 1.0 / 4096);
  EXPECT_EQ(of("bert.embeddings.LayerNorm.weight"), 1.0 / 8192);
}

}  // namespace
}  // namespace bertha
