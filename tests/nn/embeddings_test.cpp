#include "nn/embeddings.h"

#include <gtest/gtest.h>

#include "autograd/ops/task_losses.h"

namespace bertha {
namespace {

using Ids = std::vector<int32_t>;

// What the embeddings of five tokens are, and the gradient of their parameters.
struct Pass {
  std::vector<float> states, gradients;

  Pass(int64_t type_vocab_size, const Ids& type_ids) {
    BertConfig config;
    config.vocab_size = 10;
    config.hidden_size = 16;
    config.max_position_embeddings = 8;
    config.type_vocab_size = type_vocab_size;
    config.hidden_dropout_prob = 0;
    ParameterStore store;
    const Embeddings embeddings(Scope(store, "embeddings"), config);
    store.allocate();
    store.initialize(1, 0.5);
    const Ids ids = {2, 7, 3, 8, 3}, cu_seqlens = {0, 5};
    Tape tape;
    Run run;
    run.tape = &tape;
    run.cu_seqlens = cu_seqlens;
    const Var y = embeddings(run, {ids, type_ids});
    states.assign(y.value().span<float>().begin(), y.value().span<float>().end());
    LossSums sums;
    std::vector<float> targets(states.size());
    for (size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<float>(i % 7) - 3;
    tape.backward(squared_error(y, targets, 1, sums));
    gradients.assign(store.gradients().begin(), store.gradients().end());
  }
};

const Ids kPair = {0, 0, 0, 1, 1}, kOneText = {0, 0, 0, 0, 0};

TEST(Embeddings, AModelOfOneTypeGivesItToBothTextsOfAPair) {
  const Pass pair(1, kPair), text(1, kOneText);
  EXPECT_EQ(pair.states, text.states);
  for (size_t i = 0; i < text.gradients.size(); ++i) EXPECT_NEAR(pair.gradients[i], text.gradients[i], 1e-4) << i;
}

TEST(Embeddings, AModelWithoutTypesTakesAPairToo) {
  EXPECT_EQ(Pass(0, kPair).states, Pass(0, kOneText).states);
}

TEST(Embeddings, AModelOfTwoTypesTellsThemApart) {
  EXPECT_NE(Pass(2, kPair).states, Pass(2, kOneText).states);
}

}  // namespace
}  // namespace bertha
