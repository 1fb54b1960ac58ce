#include "nn/parameter.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "nn/bert_for_pretraining.h"

namespace bertha {
namespace {

TEST(ParameterStore, LaysOutInReverseOrderOfRegistrationWithZeroGaps) {
  ParameterStore store;
  const Scope root(store, "");
  const Parameter& first = root.weight("first", {3, 5});
  const Parameter& second = root.gain("second", 4);
  store.allocate();
  EXPECT_EQ(second.offset, 0);
  EXPECT_EQ(first.offset, 16);
  ASSERT_EQ(store.values().size(), 32);
  store.initialize(1, 0.02);
  for (size_t i = 4; i < 16; ++i) EXPECT_EQ(store.values()[i], 0);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(store.values()[i], 1);
  EXPECT_EQ(store.values()[31], 0);
}

TEST(ParameterStore, AStackedParameterIsPublishedAsItsRows) {
  ParameterStore store;
  constexpr std::array<std::string_view, 2> kModules = {"query", "key"};
  const Parameter& both = (Scope(store, "") / "self").stacked(kModules, "weight", {3, 2}, Init::kNormal);
  store.allocate();
  EXPECT_EQ(both.value.shape(), (Shape{6, 2}));
  ASSERT_EQ(store.published().size(), 2);
  EXPECT_EQ(store.published()[0].name, "self.key.weight");  // sorted
  EXPECT_EQ(store.published()[0].offset, 6);
  EXPECT_EQ(store.published()[1].name, "self.query.weight");
  EXPECT_EQ(store.published()[1].offset, 0);
}

TEST(ParameterStore, StartsFromANormalTruncatedAtTwoDeviations) {
  ParameterStore store;
  const Parameter& w = Scope(store, "").weight("w", {400, 500});
  store.allocate();
  store.initialize(7, 0.02);
  double sum = 0;
  double squares = 0;
  for (const float x : w.value.span<float>()) {
    EXPECT_LE(std::abs(x), 0.04f);
    sum += x;
    squares += static_cast<double>(x) * x;
  }
  EXPECT_NEAR(sum / 200000, 0, 2e-4);
  EXPECT_NEAR(std::sqrt(squares / 200000), 0.02 * 0.8796, 1e-4);  // the deviation of a normal cut at two
}

TEST(ParameterStore, ValuesDependOnSeedAndNameAlone) {
  const auto value = [](bool other_first, uint64_t seed) {
    ParameterStore store;
    const Scope root(store, "");
    if (other_first) root.weight("other", {7});
    const Parameter& w = root.weight("w", {3});
    store.allocate();
    store.initialize(seed, 0.02);
    return w.value.data<float>()[0];
  };
  EXPECT_EQ(value(false, 1), value(true, 1));
  EXPECT_NE(value(false, 1), value(false, 2));
}

// BERT-base: 109,482,240 parameters with the pooler (Devlin et al. 2018), here without it and with the masked-LM head.
TEST(ParameterStore, BertBaseHasItsPublishedSize) {
  const BertForPretraining model(preset("base"), Head::kMlm);
  int64_t encoder = 0;
  int64_t head = 0;
  for (const PublishedTensor& tensor : model.parameters().published()) {
    (tensor.name.starts_with("bert.") ? encoder : head) += tensor.shape.numel();
  }
  EXPECT_EQ(encoder, 109482240 - (768 * 768 + 768));
  EXPECT_EQ(head, 768 * 768 + 768 + 2 * 768 + 30522);
}

}  // namespace
}  // namespace bertha
