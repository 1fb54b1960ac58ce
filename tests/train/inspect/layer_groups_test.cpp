#include "train/inspect/layer_groups.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bertha {
namespace {

TEST(LayerGroup, IsTheBeginningOfAName) {
  EXPECT_EQ(layer_group("bert.encoder.layer.11.attention.self.query.weight"), "bert.encoder.layer.11");
  EXPECT_EQ(layer_group("encoder.layer.0.output.dense.bias"), "encoder.layer.0");
  EXPECT_EQ(layer_group("distilbert.transformer.layer.5.ffn.lin1.weight"), "distilbert.transformer.layer.5");
  EXPECT_EQ(layer_group("bert.embeddings.LayerNorm.weight"), "bert.embeddings");
  EXPECT_EQ(layer_group("embeddings.word_embeddings.weight"), "embeddings");
  EXPECT_EQ(layer_group("roberta.pooler.dense.bias"), "roberta.pooler");
  EXPECT_EQ(layer_group("cls.predictions.bias"), "cls.predictions");
  EXPECT_EQ(layer_group("lm_head.dense.weight"), "lm_head");
  EXPECT_EQ(layer_group("classifier.weight"), "classifier");
  EXPECT_EQ(layer_group("bert"), "bert");
  EXPECT_EQ(layer_group("scale"), "scale");
  EXPECT_EQ(layer_group(""), "");
  EXPECT_EQ(layer_group("0.weight"), "0");
}

TEST(LayerGroup, OfAMomentKeepsItsKind) {
  EXPECT_EQ(layer_group("first_moment/bert.encoder.layer.3.output.dense.bias"), "first_moment/bert.encoder.layer.3");
  EXPECT_EQ(layer_group("second_moment/bert.pooler.dense.bias"), "second_moment/bert.pooler");
}

TEST(LayerGroup, StandInTheOrderOfTheModel) {
  std::vector<FileTensor> tensors;
  for (const char* name : {"bert.embeddings.a.weight", "bert.encoder.layer.10.w", "bert.encoder.layer.2.w",
                           "bert.encoder.layer.2.x", "bert.pooler.w.w", "cls.predictions.bias"}) {
    tensors.push_back({nullptr, {.name = name, .dtype = "F32", .shape = {2, 3}, .bytes = 24}});
  }
  tensors.push_back({nullptr, {.name = "bert.embeddings.position_ids", .dtype = "I64", .shape = {4}, .bytes = 32}});
  const std::vector<LayerGroup> groups = group_by_layer(tensors);
  std::vector<std::string> names;
  for (const LayerGroup& group : groups) names.push_back(group.name);
  EXPECT_EQ(names, (std::vector<std::string>{"bert.embeddings", "bert.encoder.layer.2", "bert.encoder.layer.10",
                                             "bert.pooler", "cls.predictions"}));
  EXPECT_EQ(groups[0].parameters(), 6);
  EXPECT_EQ(groups[0].bytes(), 56u);
  EXPECT_EQ(groups[1].tensors.size(), 2u);
}

TEST(LayerGroup, OfOneMomentStandTogether) {
  std::vector<FileTensor> tensors;
  for (const char* name : {"first_moment/bert.encoder.layer.0.w", "first_moment/embeddings.w",
                           "second_moment/bert.encoder.layer.0.w", "second_moment/embeddings.w"}) {
    tensors.push_back({nullptr, {.name = name, .dtype = "F32", .shape = {1}, .bytes = 4}});
  }
  const std::vector<LayerGroup> groups = group_by_layer(tensors);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].name, "first_moment/embeddings");
  EXPECT_EQ(groups[1].name, "first_moment/bert.encoder.layer.0");
  EXPECT_EQ(groups[2].name, "second_moment/embeddings");
}

}  // namespace
}  // namespace bertha
