#include "nn/bert_for_task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace bertha {
namespace {

// Which of a head's outputs differ in training, for dropout is on then.
class DroppingOut {
 public:
  explicit DroppingOut(const BertConfig& config, Head head) : model_(config, {head, 3, 3}) {
    model_.parameters().initialize(1, 0.5);
  }

  bool sequences() const {
    return differs([&](Run& run) { return model_.sequence_logits(run, inputs_); });
  }
  bool rows() const {
    return differs([&](Run& run) { return model_.row_logits(run, inputs_, rows_); });
  }
  bool spans() const {
    return differs([&](Run& run) { return model_.span_logits(run, inputs_); });
  }
  bool intents() const {
    return differs([&](Run& run) { return model_.intent_and_slot_logits(run, inputs_, rows_).first; });
  }
  bool slots() const {
    return differs([&](Run& run) { return model_.intent_and_slot_logits(run, inputs_, rows_).second; });
  }

 private:
  template <class F>
  bool differs(F&& logits) const {
    const auto pass = [&](bool training) {
      Run run;
      run.training = training;
      run.cu_seqlens = cu_seqlens_;
      run.row_keys = keys_;
      const Var result = logits(run);
      const auto values = result.value().template span<float>();
      return std::vector<float>(values.begin(), values.end());
    };
    return pass(true) != pass(false);
  }

  BertForTask model_;
  std::vector<int32_t> ids_ = {2, 5, 7, 3, 2, 9, 8, 3}, types_ = std::vector<int32_t>(8), cu_seqlens_ = {0, 4, 8};
  std::vector<int32_t> rows_ = {1, 2, 5, 6};
  std::vector<uint64_t> keys_ = {0, 1, 2, 3, 1 << 16, (1 << 16) + 1, (1 << 16) + 2, (1 << 16) + 3};
  TokenInputs inputs_ = {ids_, types_};
};

BertConfig without_dropout(Family family) {
  BertConfig c;
  c.family = family;
  c.vocab_size = 20;
  c.hidden_size = 32;
  c.num_hidden_layers = 1;
  c.num_attention_heads = 2;
  c.intermediate_size = 32;
  c.max_position_embeddings = 16;
  c.type_vocab_size = family == Family::kDistilBert ? 0 : 2;
  c.hidden_dropout_prob = c.attention_probs_dropout_prob = c.qa_dropout = 0;
  c.classifier_dropout = 0;
  return c;
}

TEST(BertForTask, AHeadOfSequencesHasTheClassifiersDropout) {
  for (const Family family : {Family::kBert, Family::kRoberta, Family::kDistilBert}) {
    BertConfig c = without_dropout(family);
    EXPECT_FALSE(DroppingOut(c, Head::kSequence).sequences());
    c.classifier_dropout = 0.5;
    EXPECT_TRUE(DroppingOut(c, Head::kSequence).sequences());
    EXPECT_TRUE(DroppingOut(c, Head::kIntentAndSlots).intents());
    EXPECT_EQ(DroppingOut(c, Head::kChoice).sequences(), family != Family::kRoberta) << "its class has none";
  }
}

TEST(BertForTask, DistilBertsHeadsOfTokensHaveTheEncodersDropout) {
  for (const Family family : {Family::kBert, Family::kDistilBert}) {
    BertConfig c = without_dropout(family);
    c.classifier_dropout = 0.5;
    EXPECT_EQ(DroppingOut(c, Head::kTokens).rows(), family == Family::kBert);
    EXPECT_EQ(DroppingOut(c, Head::kIntentAndSlots).slots(), family == Family::kBert);
  }
}

TEST(BertForTask, DistilBertsHeadOfAnswersHasADropoutOfItsOwn) {
  for (const Family family : {Family::kBert, Family::kDistilBert}) {
    BertConfig c = without_dropout(family);
    c.classifier_dropout = 0.5;
    EXPECT_FALSE(DroppingOut(c, Head::kSpans).spans());
    c.qa_dropout = 0.5;
    EXPECT_EQ(DroppingOut(c, Head::kSpans).spans(), family == Family::kDistilBert);
  }
}

}  // namespace
}  // namespace bertha
