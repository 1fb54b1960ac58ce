#include "nn/bert_for_pretraining.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/core/parallel.h"
#include "autograd/kernels/isa.h"

namespace bertha {
namespace {

// A model and a batch of two sequences, with dropout, and what one pass over them gives.
class SmallPass {
 public:
  explicit SmallPass(Head heads) : model_(config(), heads) {
    model_.parameters().initialize(1, 0.1);
    for (int32_t i = 0; i < kTokens; ++i) {
      ids_.push_back(5 + i * 7 % 40);
      keys_.push_back(static_cast<uint64_t>(i) + 1000);
    }
  }

  Run run() const {
    Run run;
    run.training = true;
    run.seed = 3;
    run.cu_seqlens = cu_seqlens_;
    run.row_keys = keys_;
    return run;
  }

  struct Result {
    double loss = 0;
    std::vector<float> gradients;
  };
  Result backward(Run run) {
    Tape tape;
    run.tape = &tape;
    PretrainingLosses losses;
    const TokenInputs inputs = {ids_, types_};
    tape.backward(model_.loss(run, inputs, {masked_, labels_, next_}, {0.2, 0.5}, losses, nullptr));
    const auto gradients = model_.parameters().gradients();
    return {losses.mlm.loss + losses.next_sentence.loss, {gradients.begin(), gradients.end()}};
  }

 private:
  static constexpr int32_t kTokens = 20;

  static BertConfig config() {
    BertConfig c;
    c.vocab_size = 50;
    c.hidden_size = 32;
    c.num_hidden_layers = 3;
    c.num_attention_heads = 2;
    c.intermediate_size = 64;
    c.max_position_embeddings = 16;
    return c;
  }

  BertForPretraining model_;
  std::vector<int32_t> ids_;
  std::vector<int32_t> types_ = std::vector<int32_t>(kTokens, 0);
  std::vector<int32_t> cu_seqlens_ = {0, 9, kTokens};
  std::vector<uint64_t> keys_;
  std::vector<int32_t> masked_ = {2, 5, 13}, labels_ = {7, 8, 9}, next_ = {0, 1};
};

class PretrainingPass : public ::testing::TestWithParam<Head> {};

TEST_P(PretrainingPass, RecomputationDoesNotChangeABit) {
  SmallPass pass(GetParam());
  const auto kept = pass.backward(pass.run());
  bertha::Run run = pass.run();
  run.recompute = true;
  const auto recomputed = pass.backward(run);
  EXPECT_EQ(recomputed.loss, kept.loss);
  EXPECT_EQ(recomputed.gradients, kept.gradients);
}

// For an observer every row is computed, otherwise only those that a head reads.
TEST_P(PretrainingPass, ThreadsDoNotChangeABit) {
  const int threads = num_threads();
  std::vector<DType> dtypes = {DType::f32};
  if (kernels::has_bf16()) dtypes.push_back(DType::bf16);
  for (const DType dtype : dtypes) {
    std::vector<SmallPass::Result> results;
    for (const int count : {1, 2, 3}) {
      omp_set_num_threads(count);
      SmallPass pass(GetParam());
      bertha::Run run = pass.run();
      run.dtype = dtype;
      results.push_back(pass.backward(run));
    }
    for (const SmallPass::Result& result : results) {
      EXPECT_EQ(result.loss, results[0].loss) << dtype;
      EXPECT_EQ(result.gradients, results[0].gradients) << dtype;
    }
  }
  omp_set_num_threads(threads);
}

TEST_P(PretrainingPass, RowsNobodyReadsChangeNothing) {
  SmallPass pass(GetParam());
  const auto read = pass.backward(pass.run());
  bertha::Run run = pass.run();
  run.observer = [](const std::string&, const Tensor&) {};
  const auto all = pass.backward(run);
  EXPECT_EQ(read.loss, all.loss);
  double largest = 0;
  for (const float g : all.gradients) largest = std::max<double>(largest, std::abs(g));
  for (size_t i = 0; i < all.gradients.size(); ++i) EXPECT_NEAR(read.gradients[i], all.gradients[i], 1e-6 * largest);
}

TEST_P(PretrainingPass, Bf16IsCloseToFloat) {
  if (!kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  SmallPass pass(GetParam());
  const auto precise = pass.backward(pass.run());
  bertha::Run run = pass.run();
  run.dtype = DType::bf16;
  const auto rounded = pass.backward(run);
  EXPECT_NEAR(rounded.loss, precise.loss, 0.01 * precise.loss);
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < precise.gradients.size(); ++i) {
    difference += std::pow(rounded.gradients[i] - precise.gradients[i], 2);
    size += std::pow(precise.gradients[i], 2);
  }
  EXPECT_LE(std::sqrt(difference / size), 0.03);
}

INSTANTIATE_TEST_SUITE_P(Heads, PretrainingPass, ::testing::Values(Head::kMlm, Head::kMlmAndNextSentence));

}  // namespace
}  // namespace bertha
