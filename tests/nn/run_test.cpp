#include "nn/run.h"

#include <gtest/gtest.h>

#include "autograd/ops/linear.h"
#include "nn/flops.h"

namespace bertha {
namespace {

class RunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_.allocate();
    store_.initialize(1, 0.5);
  }
  ParameterStore store_;
  Scope root_{store_, ""};
  const Parameter& first_ = root_.weight("first", {2, 2});
  const Parameter& second_ = root_.weight("second", {1, 2});
};

TEST_F(RunTest, AParameterUsedTwiceIsOneVar) {
  Tape tape;
  bertha::Run run;
  run.tape = &tape;
  EXPECT_EQ(run.use(first_).slot(), run.use(first_).slot());
}

TEST_F(RunTest, WithoutATapeParametersAreConstants) {
  bertha::Run run;
  EXPECT_EQ(run.use(first_).slot(), nullptr);
}

TEST_F(RunTest, GradientsAreFinalOnceAndInReverseOrderOfFirstUse) {
  Tape tape;
  bertha::Run run;
  run.tape = &tape;
  std::vector<size_t> order;
  run.on_gradient = [&](const Parameter& parameter) { order.push_back(parameter.index); };
  const Var x(second_.value);  // (1, 2)
  const Var h = linear(x, run.use(first_));
  const Var y = linear(h, run.use(first_));
  tape.backward(linear(y, run.use(second_)));  // (1, 1)
  EXPECT_EQ(order, (std::vector<size_t>{second_.index, first_.index}));
}

TEST_F(RunTest, DropoutNeedsTrainingAndDiffersFromSiteToSite) {
  const DropoutSite here(root_ / "here", 0.1);
  const DropoutSite there(root_ / "there", 0.1);
  bertha::Run run;
  EXPECT_FALSE(run.dropout(here, {}).active());
  run.training = true;
  EXPECT_TRUE(run.dropout(here, {}).active());
  EXPECT_NE(run.dropout(here, {}).key, run.dropout(there, {}).key);
  EXPECT_THROW(DropoutSite(root_, 1.0), ShapeError);
}

TEST(PretrainingFlops, FollowsTheFormula) {
  BertConfig c;
  c.num_hidden_layers = 2;
  c.hidden_size = 4;
  c.intermediate_size = 16;
  c.vocab_size = 10;
  const std::vector<int32_t> cu_seqlens = {0, 3, 5};
  const double per_token = 6 * 2 * (4 * 16 + 2 * 4 * 16);
  EXPECT_DOUBLE_EQ(pretraining_flops(c, cu_seqlens, 2), per_token * 5 + 12 * 2 * 4 * (9 + 4) + 6 * 2 * (4 * 10 + 16));
}

}  // namespace
}  // namespace bertha
