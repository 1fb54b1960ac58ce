#include "nn/bert_config.h"

#include <gtest/gtest.h>

#include <limits>

#include "autograd/core/error.h"

namespace bertha {
namespace {

TEST(BertConfig, PresetsHaveThePublishedSizes) {
  struct Sizes {
    std::string_view name;
    int64_t layers, hidden, heads, intermediate;
  };
  const std::vector<Sizes> published{
      {"tiny", 2, 128, 2, 512},      {"mini", 4, 256, 4, 1024},    {"small", 4, 512, 8, 2048},
      {"medium", 8, 512, 8, 2048},   {"minilm", 6, 384, 12, 1536}, {"base", 12, 768, 12, 3072},
      {"large", 24, 1024, 16, 4096},
  };
  ASSERT_EQ(preset_names().size(), published.size());
  for (const Sizes& sizes : published) {
    const BertConfig c = preset(sizes.name);
    EXPECT_EQ(c.num_hidden_layers, sizes.layers) << sizes.name;
    EXPECT_EQ(c.hidden_size, sizes.hidden) << sizes.name;
    EXPECT_EQ(c.num_attention_heads, sizes.heads) << sizes.name;
    EXPECT_EQ(c.intermediate_size, sizes.intermediate) << sizes.name;
    EXPECT_EQ(c.vocab_size, 30522) << sizes.name;
    EXPECT_EQ(c.max_position_embeddings, 512) << sizes.name;
    EXPECT_NO_THROW(validate(c, "preset")) << sizes.name;
  }
  EXPECT_EQ(preset("base"), BertConfig{});
  EXPECT_THROW(preset("huge"), ConfigError);
}

TEST(BertConfig, HeadsDropOutAsTheFamilysPublishedClassesDo) {
  const auto dropouts = [](Family family) {
    BertConfig c;
    c.family = family;
    c.hidden_dropout_prob = 0.3;
    c.classifier_dropout = 0.4;
    c.qa_dropout = 0.5;
    std::vector<double> values;
    for (const Head head : {Head::kSequence, Head::kTokens, Head::kSpans, Head::kChoice, Head::kIntentAndSlots}) {
      values.push_back(c.task_dropout(head));
    }
    return values;
  };
  EXPECT_EQ(dropouts(Family::kBert), (std::vector{0.4, 0.4, 0.0, 0.4, 0.4}));
  EXPECT_EQ(dropouts(Family::kRoberta), (std::vector{0.4, 0.4, 0.0, 0.3, 0.4}));
  EXPECT_EQ(dropouts(Family::kDistilBert), (std::vector{0.4, 0.3, 0.5, 0.4, 0.4}));
  BertConfig silent;
  silent.hidden_dropout_prob = 0.3;
  EXPECT_EQ(silent.task_dropout(Head::kTokens), 0.3);
}

TEST(BertConfig, RefusesWhatNoModelCanBeBuiltFrom) {
  const auto refused = [](auto change) {
    BertConfig c;
    change(c);
    try {
      validate(c, "config.json");
    } catch (const ConfigError& error) {
      return std::string(error.what()).starts_with("config.json: ");
    }
    return false;
  };
  EXPECT_FALSE(refused([](BertConfig&) {}));
  EXPECT_TRUE(refused([](BertConfig& c) { c.vocab_size = 0; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.hidden_size = -768; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.num_hidden_layers = int64_t{1} << 40; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.num_attention_heads = 0; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.num_attention_heads = 7; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.type_vocab_size = -1; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.hidden_dropout_prob = 1; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.attention_probs_dropout_prob = -0.1; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.classifier_dropout = -0.5; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.qa_dropout = 1; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.layer_norm_eps = std::numeric_limits<double>::quiet_NaN(); }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.initializer_range = 0; }));
  EXPECT_TRUE(refused([](BertConfig& c) { c.hidden_act = "swish"; }));
}

}  // namespace
}  // namespace bertha
