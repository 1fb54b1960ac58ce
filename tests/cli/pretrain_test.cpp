#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "autograd/core/random.h"
#include "tests/cli/background_command.h"
#include "tests/cli/run_bertha.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Documents of sentences in which the verb tells the noun apart.
std::string small_corpus(int documents) {
  const std::vector<std::string> lines = {"the bird sings in the old tree",     "a fish swims under the cold water",
                                          "the horse runs over the green hill", "a cat sleeps on the warm stone",
                                          "the farmer opens the heavy gate",    "rain falls on the silent village"};
  RandomStream random(4, "corpus");
  std::string text;
  for (int d = 0; d < documents; ++d) {
    for (int i = 0; i < 6; ++i) text += lines[random.below(static_cast<uint32_t>(lines.size()))] + " .\n";
    text += "\n";
  }
  return text;
}

class Pretrain : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "train.txt") << small_corpus(60);
    std::ofstream(folder_ / "held-out.txt") << small_corpus(8);
    std::ofstream(config())
        << "model: {vocab_size: 120, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, "
           "intermediate_size: 64, max_position_embeddings: 32}\n"
           "task: mlm\n"
           "data:\n  text: ['"
        << (folder_ / "train.txt") << "']\n  evaluation_text: ['" << (folder_ / "held-out.txt")
        << "']\n  sequence_length: 24\n"
           "training: {steps: 12, global_batch_size: 16, micro_batch_size: 4, learning_rate: 3e-3}\n"
           "evaluation: {every_steps: 6}\n"
           "checkpoint: {every_steps: 3, keep: 2}\n"
           "output: '"
        << (folder_ / "run") << "'\n";
  }

  std::string config() const { return folder_ / "config.yaml"; }
  std::string output(const std::string& name) const { return " output='" + (folder_ / name) + "'"; }

  CommandResult pretrain(const std::string& arguments) const { return run_command(command(arguments), ""); }

  // One thread, for a small model is slow on more where other tests run beside.
  std::string command(const std::string& arguments) const {
    return std::string("OMP_NUM_THREADS=1 ") + BERTHA_BINARY + " pretrain " + config() + " " + arguments;
  }

  // As `pretrain` on several ranks.
  CommandResult pretrain_on(int ranks, const std::string& arguments) const {
    return run_command(mpirun(ranks) + BERTHA_BINARY + " pretrain " + config() + " " + arguments, "");
  }

  static std::string mpirun(int ranks, int threads = 1) {
    return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=" + std::to_string(threads) +
           " " BERTHA_MPIEXEC " --oversubscribe --bind-to none -n " + std::to_string(ranks) + " ";
  }

  std::vector<double> losses(const std::string& name) const {
    std::vector<double> values;
    std::istringstream lines(read_file(folder_ / (name + "/metrics.jsonl")));
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line);
      if (object["phase"] == "train") values.push_back(object["loss"]);
    }
    return values;
  }

  // Of the newest step of `run`; 0 before there is one.
  double budget_share() const {
    double share = 0;
    std::istringstream lines(read_file(folder_ / "run/metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line, nullptr, false);
      if (object.is_object()) share = object.value("budget_share", share);
    }
    return share;
  }

  std::string weights(const std::string& name) const {
    return read_file(folder_ / (name + "/model/model.safetensors"));
  }

  TemporaryDirectory folder_;
};

// On rows of every length, as text makes them.
TEST_F(Pretrain, TakesTheMemoryThatItPlanned) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer takes memory of its own";
#endif
  RandomStream random(1, "lengths");
  std::string text;
  for (int document = 0; document < 400; ++document) {
    for (uint32_t word = 10 + random.below(120); word > 0; --word) text += "the old tree ";
    text += "\n\n";
  }
  std::ofstream(folder_ / "train.txt") << text;
  const std::string larger =
      "model='{preset: mini, vocab_size: 120}' data.sequence_length=128 training='{steps: 5, global_batch_size: 48, "
      "micro_batch_size: 48}'";
  const CommandResult plan = pretrain(larger + " --dry-run");
  double planned = 0;
  const size_t at = plan.out.find("memory of a rank: ");
  ASSERT_NE(at, std::string::npos) << plan.out;
  std::istringstream(plan.out.substr(at + 18)) >> planned;
  const CommandResult run = pretrain(larger);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::istringstream lines(read_file(folder_ / "run/metrics.jsonl"));
  double peak = 0;
  for (std::string line; std::getline(lines, line);) {
    peak = std::max(peak, nlohmann::json::parse(line).value("peak_rss_mib", 0.0));
  }
  EXPECT_NEAR(peak / planned, 1, 0.1) << peak << " MiB, planned " << planned;
}

TEST_F(Pretrain, GoesFromTextToAModelThatPredicts) {
  const CommandResult result = pretrain("");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("unigram cross-entropy"), std::string::npos) << result.err;
  for (const char* name :
       {"config.yaml", "metrics.jsonl", "vocab.txt", "shards/manifest.json", "checkpoints/latest", "report.html",
        "run.json", "model/config.json", "model/tokenizer_config.json", "model/special_tokens_map.json"}) {
    EXPECT_TRUE(fs::exists(folder_ / (std::string("run/") + name))) << name;
  }
  EXPECT_EQ(losses("run").size(), 12);
  const CommandResult predicted =
      run_bertha("predict " + (folder_ / "run/model") + " --json --top-k 3 'the bird [MASK]'", "");
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  const auto candidates = nlohmann::json::parse(predicted.out);
  ASSERT_EQ(candidates.size(), 3);
  EXPECT_GE(candidates[0]["score"], candidates[1]["score"]);
  const CommandResult evaluated =
      run_bertha("evaluate " + (folder_ / "run/model") + " --data " + (folder_ / "held-out.txt") + " --json", "");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_TRUE(nlohmann::json::parse(evaluated.out).contains("perplexity"));
}

TEST_F(Pretrain, PredictionsHoldWhatTheLossIsMadeOf) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  const CommandResult evaluated =
      run_bertha("evaluate " + (folder_ / "run/model") + " --data " + (folder_ / "held-out.txt") +
                     " --json --predictions " + (folder_ / "p"),
                 "");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  double sum = 0;
  int64_t labels = 0;
  std::istringstream lines(read_file(folder_ / "p"));
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    ASSERT_EQ(object["input_ids"].size(), object["labels"].size());
    int64_t count = 0;
    for (const auto& label : object["labels"]) count += label != -100;
    sum += object["loss"].get<double>() * static_cast<double>(count);
    labels += count;
  }
  EXPECT_NEAR(sum / static_cast<double>(labels), nlohmann::json::parse(evaluated.out)["loss"], 1e-9);
}

TEST_F(Pretrain, TrainsOnSentencePairs) {
  const CommandResult result = pretrain("task=mlm_nsp");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(read_file(folder_ / "run/metrics.jsonl").find("nsp_accuracy"), std::string::npos);
  const CommandResult predicted = run_bertha("predict " + (folder_ / "run/model") + " --task next_sentence --json",
                                             "the bird sings\ta fish swims\n");
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  EXPECT_TRUE(nlohmann::json::parse(predicted.out).contains("is_next"));
}

TEST_F(Pretrain, RanksAgreeOnTheLossesAndInDeterministicModeOnTheBytes) {
  ASSERT_EQ(pretrain(output("one")).exit_code, 0);
  ASSERT_EQ(pretrain("training.deterministic=true" + output("deterministic-one")).exit_code, 0);
  for (const int ranks : {2, 4}) {
    const std::string name = "ranks-" + std::to_string(ranks);
    const CommandResult result = pretrain_on(ranks, output(name));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto expected = losses("one");
    const auto got = losses(name);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4) << ranks << " ranks, step " << i + 1;
    ASSERT_EQ(pretrain_on(ranks, "training.deterministic=true" + output("deterministic-" + name)).exit_code, 0);
    EXPECT_EQ(weights("deterministic-" + name), weights("deterministic-one")) << ranks << " ranks";
  }
}

TEST_F(Pretrain, RanksThatShareTheOptimizerWriteTheSameBytes) {
  const std::string arguments = "training.deterministic=true training.optimizer=lamb ";
  ASSERT_EQ(pretrain(arguments + output("alone")).exit_code, 0);
  const CommandResult result = pretrain_on(3, arguments + "communication.shard_optimizer=true" + output("shared"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(weights("shared"), weights("alone"));
}

// The checksums of all that a checkpoint holds but the configuration.
std::string tensor_checksums(const std::string& checkpoint) {
  const auto manifest = nlohmann::json::parse(read_file(checkpoint + "/MANIFEST.json"));
  std::string text;
  for (const auto& file : manifest["files"]) {
    if (!file.contains("tensors")) continue;
    for (const auto& tensor : file["tensors"]) {
      if (tensor["name"] == "configuration") continue;
      text.append(tensor["name"].get<std::string>()).append(" ").append(tensor["checksum"].get<std::string>()) += "\n";
    }
  }
  return text;
}

TEST_F(Pretrain, DeterministicBitsDependNeitherOnRanksNorThreadsNorRestarts) {
  for (const char* precision : {"f32", "bf16"}) {
    const std::string arguments =
        std::string("task=mlm_nsp training.deterministic=true checkpoint.every_steps=6 training.precision=") +
        precision;
    const auto name = [&](const char* run) { return std::string(run).append("-").append(precision); };
    const auto end_of = [&](const char* run) {
      return tensor_checksums(folder_ / (name(run) + "/checkpoints/step-00000012"));
    };
    const auto run = [&](int ranks, int threads, const std::string& more) {
      return run_command("OMP_WAIT_POLICY=passive " + mpirun(ranks, threads) + BERTHA_BINARY + " pretrain " + config() +
                             " " + arguments + " " + more,
                         "");
    };
    const CommandResult alone = pretrain(arguments + output(name("alone")));
    if (alone.exit_code == 2) {
      EXPECT_NE(alone.err.find("AVX512_BF16"), std::string::npos) << alone.err;
      GTEST_SKIP() << "bf16: this processor has no AVX512_BF16";
    }
    ASSERT_EQ(alone.exit_code, 0) << alone.err;
    EXPECT_FALSE(end_of("alone").empty());

    const std::string sharded = "communication.shard_optimizer=true";
    const CommandResult three = run(3, 2, sharded + output(name("three")));
    ASSERT_EQ(three.exit_code, 0) << three.err;
    EXPECT_EQ(end_of("three"), end_of("alone"));

    ASSERT_EQ(run(4, 1, output(name("moved"))).exit_code, 0);
    EXPECT_EQ(end_of("moved"), end_of("alone"));
    fs::remove_all(folder_ / (name("moved") + "/checkpoints/step-00000012"));
    ASSERT_EQ(run(1, 2, sharded + output(name("moved"))).exit_code, 0);
    EXPECT_EQ(end_of("moved"), end_of("alone"));
  }
}

TEST_F(Pretrain, DryRunCountsTheMomentsThatRanksShare) {
  const auto mebibytes = [&](const std::string& arguments) {
    const std::string plan = pretrain_on(2, "--dry-run model='{preset: mini}' " + arguments).out;
    const std::string before = "gradients and moments ";
    const size_t at = plan.find(before);
    return at == std::string::npos ? 0 : std::atoi(plan.c_str() + at + before.size());
  };
  EXPECT_EQ(mebibytes(""), 171);
  EXPECT_EQ(mebibytes("communication.shard_optimizer=true"), 128);
}

TEST_F(Pretrain, AKilledRunContinuesToTheSameBytes) {
  ASSERT_EQ(pretrain_on(2, output("whole") + " training.steps=40").exit_code, 0);
  const std::string command = mpirun(2) + BERTHA_BINARY + " pretrain " + config() + " training.steps=40" +
                              output("killed") + " >/dev/null 2>&1";
  BackgroundCommand run(command);
  // Past the first checkpoint, wherever that is then.
  ASSERT_TRUE(comes_true([&] { return fs::exists(folder_ / "killed/checkpoints/latest"); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  run.kill_and_wait();
  // Ranks run in groups of their own and end with mpirun; the files are theirs until then.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const CommandResult result = pretrain_on(2, "training.steps=40" + output("killed"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(weights("killed"), weights("whole"));
  EXPECT_EQ(losses("killed"), losses("whole"));
}

TEST_F(Pretrain, ASignalSavesAndTheSameCommandContinuesToTheSameBytes) {
  const std::string length = " training.steps=200 evaluation.every_steps=200 checkpoint.every_steps=200";
  ASSERT_EQ(pretrain(output("whole") + length).exit_code, 0);
  for (const int number : {SIGUSR1, SIGTERM, SIGINT}) {
    const std::string name = "signal-" + std::to_string(number);
    BackgroundCommand run("exec env " + command(length + output(name)) + " 2>" + (folder_ / "err"));
    ASSERT_TRUE(comes_true([&] { return !read_file(folder_ / (name + "/metrics.jsonl")).empty(); }));
    run.signal(number);
    EXPECT_EQ(run.wait(), 0);
    EXPECT_NE(read_file(folder_ / "err").find("stopped by a signal"), std::string::npos) << read_file(folder_ / "err");
    const size_t done = losses(name).size();
    ASSERT_LT(done, 200u);
    std::string step = std::to_string(done);
    step.insert(0, 8 - step.size(), '0');
    EXPECT_EQ(read_file(folder_ / (name + "/checkpoints/latest")), "step-" + step + "\n");
    EXPECT_FALSE(fs::exists(folder_ / (name + "/model")));
    ASSERT_EQ(pretrain(output(name) + length).exit_code, 0);
    EXPECT_EQ(losses(name), losses("whole"));
    EXPECT_EQ(weights(name), weights("whole"));
  }
}

TEST_F(Pretrain, ATimeBudgetIsKeptOverSeveralStarts) {
  const std::string arguments = "training.steps=null training.time_budget=3s checkpoint.every_steps=1000000 ";
  EXPECT_NE(pretrain(arguments + "--dry-run").out.find("length: 3s of steps"), std::string::npos);
  EXPECT_NE(pretrain(arguments + "--print-config").out.find("time_budget: 3s"), std::string::npos);
  BackgroundCommand first("exec env " + command(arguments) + " 2>" + (folder_ / "err"));
  ASSERT_TRUE(comes_true([&] { return budget_share() > 0.3; }));
  first.signal(SIGUSR1);
  ASSERT_EQ(first.wait(), 0);
  EXPECT_NE(read_file(folder_ / "err").find("% of the time)"), std::string::npos) << read_file(folder_ / "err");
  EXPECT_NE(read_file(folder_ / "err").find("stopped by a signal"), std::string::npos) << read_file(folder_ / "err");
  const double used = budget_share();
  const size_t steps = losses("run").size();

  const auto begin = std::chrono::steady_clock::now();
  const CommandResult second = pretrain(arguments);
  const auto taken = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(second.err.find("finished: "), std::string::npos) << second.err;
  EXPECT_LT(taken, std::chrono::seconds(3)) << "a part was used before";
  EXPECT_GT(losses("run").size(), steps);
  EXPECT_GT(budget_share(), used);

  const std::string weights_before = weights("run");
  const CommandResult third = pretrain(arguments);
  EXPECT_NE(third.err.find("this run is finished"), std::string::npos) << third.err;
  EXPECT_EQ(weights("run"), weights_before);
  EXPECT_EQ(pretrain(arguments + "training.deterministic=true").exit_code, 2);
}

TEST_F(Pretrain, RecomputationChangesNoBit) {
  ASSERT_EQ(pretrain(output("kept")).exit_code, 0);
  const CommandResult result = pretrain("training.recompute=true" + output("recomputed"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(losses("recomputed"), losses("kept"));
  EXPECT_EQ(weights("recomputed"), weights("kept"));
}

TEST_F(Pretrain, TrainsInBf16OrSaysThatThisProcessorCannot) {
  const CommandResult refused =
      run_command("BERTHA_ISA=avx2 " + command("training.precision=bf16" + output("refused")), "");
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_NE(refused.err.find("training.precision: bf16 (this processor has no AVX512_BF16"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
  const CommandResult result = pretrain("training.precision=bf16" + output("bf16"));
  if (result.exit_code == 2) GTEST_SKIP() << "this processor has no AVX512_BF16";
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("bf16 dot-product peak"), std::string::npos) << result.err;
  ASSERT_EQ(pretrain(output("f32")).exit_code, 0);
  const auto got = losses("bf16"), expected = losses("f32");
  ASSERT_EQ(got.size(), expected.size());
  EXPECT_NE(got, expected);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 0.02) << "step " << i + 1;
}

TEST_F(Pretrain, AFinishedRunSaysSo) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  const std::string before = weights("run");
  const CommandResult again = pretrain("");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.err.find("finished"), std::string::npos) << again.err;
  EXPECT_EQ(weights("run"), before);
}

// As a run leaves it that is killed between its last checkpoint and this.
TEST_F(Pretrain, AModelThatIsNotTheLastCheckpointsIsWrittenAgain) {
  ASSERT_EQ(pretrain("training.steps=5 training.warmup_steps=1").exit_code, 0);
  fs::rename(folder_ / "run/model", folder_ / "earlier");
  ASSERT_EQ(pretrain("training.steps=10 training.warmup_steps=1").exit_code, 0);
  const std::string expected = read_file(folder_ / "run/model/model.safetensors");
  fs::remove_all(folder_ / "run/model");
  fs::rename(folder_ / "earlier", folder_ / "run/model");
  ASSERT_NE(read_file(folder_ / "run/model/model.safetensors"), expected);
  const CommandResult again = pretrain("training.steps=10 training.warmup_steps=1");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(read_file(folder_ / "run/model/model.safetensors"), expected);
}

TEST_F(Pretrain, FallsBackToAnOlderCheckpointWhereTheNewestIsDamaged) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  const std::string whole = weights("run");
  std::fstream file(folder_ / "run/checkpoints/step-00000012/model.safetensors", std::ios::in | std::ios::out);
  file.seekp(2000);
  file.put('x');
  file.close();
  fs::remove_all(folder_ / "run/model");
  const CommandResult result = pretrain("");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("passed over a checkpoint"), std::string::npos) << result.err;
  EXPECT_EQ(weights("run"), whole);
}

TEST_F(Pretrain, StartsNotAnewWhereEveryCheckpointIsDamaged) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  const std::string history = read_file(folder_ / "run/metrics.jsonl");
  for (const char* step : {"step-00000009", "step-00000012"}) {
    fs::resize_file(folder_ / ("run/checkpoints/" + std::string(step) + "/training_state.h5"), 100);
  }
  const CommandResult result = pretrain("");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("run/checkpoints: none is whole"), std::string::npos) << result.err;
  EXPECT_EQ(read_file(folder_ / "run/metrics.jsonl"), history);
  fs::remove_all(folder_ / "run/checkpoints");
  EXPECT_EQ(pretrain("").exit_code, 0);
}

TEST_F(Pretrain, AModelOfWhichAByteHasChangedIsNotUsed) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  const std::string model = folder_ / "run/model";
  const auto expect_refused = [&](const std::string& name, const std::string& arguments) {
    const std::string bytes = read_file(model + "/" + name);
    std::string damaged = bytes;
    damaged[bytes.size() - 40] ^= 1;
    std::ofstream(model + "/" + name, std::ios::binary) << damaged;
    const CommandResult result = run_bertha(arguments, "the [MASK] sings\n");
    std::ofstream(model + "/" + name, std::ios::binary) << bytes;
    EXPECT_EQ(result.exit_code, 3) << arguments << ": " << result.err;
    EXPECT_NE(result.err.find(model + "/" + name), std::string::npos) << result.err;
  };
  expect_refused("model.safetensors", "predict " + model);
  expect_refused("model.safetensors", "evaluate " + model + " --data " + (folder_ / "held-out.txt"));
  expect_refused("vocab.txt", "predict " + model);
  expect_refused("vocab.txt", "tokenize " + model);
  expect_refused("config.json", "predict " + model);
  EXPECT_EQ(run_bertha("predict " + model, "the [MASK] sings\n").exit_code, 0);
}

TEST_F(Pretrain, DryRunPlansWithoutWriting) {
  const CommandResult result = pretrain("--dry-run");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("memory of a rank"), std::string::npos) << result.out;
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(Pretrain, PrintsAConfigurationThatLoadsBack) {
  const CommandResult result = pretrain("--print-config");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::ofstream(config()) << result.out;
  EXPECT_EQ(pretrain("--print-config").out, result.out);
}

struct BadInput {
  std::string arguments;  // @ stands for the folder
  int exit_code;
  std::string sentence;
};

TEST_F(Pretrain, BadInputIsOneSentenceAndTheRightCode) {
  std::ofstream(folder_ / "latin1.txt", std::ios::binary) << "plain text\ncaf\xE9 au lait\n";
  std::ofstream(folder_ / "empty.txt") << "\n\n";
  std::ofstream(folder_ / "no-mask.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n";
  std::ofstream(folder_ / "twice.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n";
  std::string large = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (int i = 0; i < 200; ++i) large.append("w").append(std::to_string(i)).append("\n");
  std::ofstream(folder_ / "large.txt") << large;
  const std::vector<BadInput> cases = {
      {"data.text=[@/latin1.txt]", 3, "latin1.txt: byte 14"},
      {"data.text=[@/missing.txt]", 2, "missing.txt"},
      {"data.text=[@/empty.txt]", 2, "no word"},
      {"data.vocab=@/no-mask.txt", 4, "[MASK]"},
      {"data.vocab=@/twice.txt", 3, "twice.txt:7"},
      {"data.vocab=@/large.txt", 4, "205 tokens"},
      {"data.sequence_length=64", 2, "64"},
      {"training.step=5", 2, "did you mean 'steps'?"},
      {"model.initialize_from=@/nowhere model.vocab_size=null", 2, ""},
  };
  for (const BadInput& bad : cases) {
    std::string arguments = bad.arguments;
    while (arguments.find('@') != std::string::npos) arguments.replace(arguments.find('@'), 1, folder_ / "");
    const CommandResult result = pretrain("'" + arguments + "'" + output("bad"));
    EXPECT_EQ(result.exit_code, bad.exit_code) << bad.arguments << ": " << result.err;
    EXPECT_NE(result.err.find(bad.sentence), std::string::npos) << bad.arguments << ": " << result.err;
    fs::remove_all(folder_ / "bad");
  }
}

TEST_F(Pretrain, MoreRanksThanMicroSlicesIsOneMessage) {
  const CommandResult result = pretrain_on(2, "training.micro_batch_size=16");
  EXPECT_EQ(result.exit_code, 2) << result.err;
  const size_t first = result.err.find("bertha: ");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("bertha: ", first + 1), std::string::npos) << result.err;
}

TEST_F(Pretrain, RanksWithOtherConfigurationsAreRefused) {
  const std::string each = std::string(BERTHA_BINARY) + " pretrain " + config();
  const CommandResult result = run_command(mpirun(1) + each + " : -n 1 " + each + " training.learning_rate=1e-4", "");
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("learning_rate"), std::string::npos) << result.err;
}

TEST_F(Pretrain, ADamagedShardIsNamed) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  fs::copy(folder_ / "run/shards", folder_ / "shards");
  fs::resize_file(folder_ / "shards/shard-00000.h5", fs::file_size(folder_ / "shards/shard-00000.h5") - 1);
  const CommandResult result = pretrain("data.text=null data.shards=" + (folder_ / "shards") +
                                        " data.vocab=" + (folder_ / "run/vocab.txt") + output("other"));
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("shard-00000.h5"), std::string::npos) << result.err;
}

TEST_F(Pretrain, ShardsOfAnotherVocabularyAreRefused) {
  ASSERT_EQ(pretrain("").exit_code, 0);
  std::ofstream(folder_ / "other.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nbird\n";
  const CommandResult result = pretrain("data.text=null data.shards=" + (folder_ / "run/shards") +
                                        " data.vocab=" + (folder_ / "other.txt") + output("other"));
  EXPECT_EQ(result.exit_code, 4) << result.err;
}

class PretrainFromAModel : public Pretrain {
 protected:
  static constexpr const char* kModels = BERTHA_SOURCE_DIR "/tests/fixtures/models/";

  CommandResult pretrain_from(const std::string& directory, const std::string& task, const std::string& run) const {
    return pretrain("model='{initialize_from: " + directory + "}' task=" + task +
                    " data.sequence_length=20 training.steps=2" + output(run));
  }
  // With as many layers as its configuration is made to say.
  std::string model_of_layers(int layers) const {
    const std::string copy = folder_ / ("layers-" + std::to_string(layers));
    fs::copy(std::string(kModels) + "bert_mlm", copy);
    auto config = nlohmann::json::parse(read_file(copy + "/config.json"));
    config["num_hidden_layers"] = layers;
    std::ofstream(copy + "/config.json") << config.dump();
    return copy;
  }
};

TEST_F(PretrainFromAModel, AHeadThatItDoesNotHaveIsNewAndSaidSo) {
  const CommandResult pairs = pretrain_from(std::string(kModels) + "bert_mlm", "mlm_nsp", "pairs");
  ASSERT_EQ(pairs.exit_code, 0) << pairs.err;
  EXPECT_NE(pairs.err.find("a new head, initialised at random: bert.pooler.dense.bias, bert.pooler.dense.weight, "
                           "cls.seq_relationship.bias, cls.seq_relationship.weight\n"),
            std::string::npos)
      << pairs.err;
  const CommandResult again = pretrain_from(std::string(kModels) + "bert_mlm", "mlm_nsp", "pairs");
  EXPECT_EQ(again.err.find("a new head"), std::string::npos) << "a run that goes on has its head: " << again.err;

  const CommandResult words = pretrain_from(folder_ / "pairs/model", "mlm", "words");
  ASSERT_EQ(words.exit_code, 0) << words.err;
  EXPECT_EQ(words.err.find("a new head"), std::string::npos) << words.err;
  EXPECT_NE(words.err.find("not used, of " + (folder_ / "pairs/model") + ": bert.pooler.dense.bias, "),
            std::string::npos)
      << words.err;
}

TEST_F(PretrainFromAModel, APlanSaysSoToo) {
  const CommandResult plan = pretrain("--dry-run model='{initialize_from: " + std::string(kModels) +
                                      "bert_mlm}' task=mlm_nsp data.sequence_length=20");
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_NE(plan.out.find("a new head, initialised at random: bert.pooler.dense.bias"), std::string::npos) << plan.out;
}

TEST_F(PretrainFromAModel, AnEncoderThatDoesNotFitIsRefused) {
  const CommandResult larger = pretrain_from(model_of_layers(3), "mlm_nsp", "larger");
  EXPECT_EQ(larger.exit_code, 4);
  EXPECT_NE(larger.err.find("is missing (the encoder has it)"), std::string::npos) << larger.err;
  const CommandResult smaller = pretrain_from(model_of_layers(1), "mlm_nsp", "smaller");
  EXPECT_EQ(smaller.exit_code, 4);
  EXPECT_NE(smaller.err.find("is one too many (the encoder has none of this name)"), std::string::npos) << smaller.err;
}

TEST_F(PretrainFromAModel, AFamilyWithoutNextSentencesIsRefused) {
  const CommandResult result = pretrain_from(std::string(kModels) + "distilbert_mlm", "mlm_nsp", "pairs");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("distilbert, which has no next-sentence head"), std::string::npos) << result.err;
}

TEST_F(Pretrain, EveryDifferenceToTheCheckpointsConfigurationIsSaid) {
  ASSERT_EQ(pretrain("training.steps=3").exit_code, 0);
  const std::string changed = "training.steps=5 training.learning_rate=1e-3 checkpoint.keep=1";
  // As a start leaves it that ended before its first checkpoint.
  std::ofstream(folder_ / "run/config.yaml") << pretrain(changed + " --print-config").out;
  const CommandResult result = pretrain(changed);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::string said;
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("changed since")) said += line + "\n";
  }
  EXPECT_EQ(said,
            "changed since the checkpoint: checkpoint.keep: 2 -> 1\n"
            "changed since the checkpoint: training.learning_rate: 0.003 -> 0.001\n"
            "changed since the checkpoint: training.steps: 3 -> 5\n");
  EXPECT_EQ(pretrain(changed).err.find("changed since"), std::string::npos) << "the newest checkpoint is of this one";
}

TEST_F(Pretrain, ASpikeThatStopsTheRunIsOneSentenceAndACheckpoint) {
  const CommandResult result = pretrain("training.learning_rate=1e30 training.warmup_steps=0 spikes.action=stop");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const size_t sentence = result.err.find("bertha: step ");
  ASSERT_NE(sentence, std::string::npos) << result.err;
  EXPECT_NE(result.err.find("first not finite: ", sentence), std::string::npos) << result.err;
  EXPECT_EQ(result.err.find('\n', sentence), result.err.size() - 1) << result.err;
  const size_t done = losses("run").size();
  EXPECT_EQ(read_file(folder_ / "run/checkpoints/latest"), "step-0000000" + std::to_string(done) + "\n");
}

TEST_F(Pretrain, AnotherSeedDoesNotResume) {
  ASSERT_EQ(pretrain("training.steps=3").exit_code, 0);
  const CommandResult result = pretrain("training.seed=2");
  EXPECT_EQ(result.exit_code, 4) << result.err;
}

}  // namespace
}  // namespace bertha
