#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "autograd/kernels/isa.h"
#include "tests/cli/small_finetuning.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class FinetuneRanks : public SmallFinetuning, public ::testing::WithParamInterface<std::string> {
 protected:
  // The model of the configuration, but with dropout.
  std::string model_with_dropout() const {
    const std::string copy = folder_ / "model";
    fs::copy(kModel, copy);
    json config = json::parse(read_file(copy + "/config.json"));
    config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.1;
    write("model/config.json", config.dump());
    return copy;
  }
};

TEST_P(FinetuneRanks, DeterministicTrainingGivesTheSameBytesOnAnyNumberOfThem) {
  const std::string& precision = GetParam();
  if (precision == "bf16" && !kernels::has_bf16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  write_intents();
  const std::string recipe = "model.initialize_from=" + model_with_dropout() +
                             " training.deterministic=true training.epochs=1 training.micro_batch_size=2 "
                             "training.precision=" +
                             precision + " output=";
  const CommandResult alone = finetune(recipe + (folder_ / "alone"));
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  const std::string weights = read_file(folder_ / "alone/model/model.safetensors");
  ASSERT_FALSE(weights.empty());
  for (const int ranks : {1, 2, 3, 4}) {
    for (const char* sharded : {"false", "true"}) {
      const std::string run = "ranks-" + std::to_string(ranks) + "-" + sharded;
      const CommandResult result =
          finetune_on(ranks, recipe + (folder_ / run) + " communication.shard_optimizer=" + sharded);
      ASSERT_EQ(result.exit_code, 0) << run << ": " << result.err;
      EXPECT_TRUE(read_file(folder_ / (run + "/model/model.safetensors")) == weights) << run;
      EXPECT_EQ(results(run), results("alone")) << run;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, FinetuneRanks, ::testing::Values("f32", "bf16"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace bertha
