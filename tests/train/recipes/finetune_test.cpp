#include "train/recipes/finetune.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/temporary_directory.h"
#include "train/comm/self_communicator.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string rows(int count) {
  const char* subjects[] = {"bird", "door", "fish", "table", "horse", "boat", "fox"};
  const char* places[] = {"sea", "hill", "garden"};
  std::string text = "text\tlabel\n";
  for (int i = 0; i < count; ++i) {
    text.append("the ").append(subjects[i % 7]).append(" by the ").append(places[i % 3]);
    text.append(i % 2 == 0 ? "\tanimal\n" : "\tthing\n");
  }
  return text;
}

// A run of eleven steps that begin and end within epochs: a warm-up of five, an evaluation after every fourth and at
// the end, a checkpoint after each.
class FinetuneResume : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path model = folder_ / "model";
    fs::copy(BERTHA_SOURCE_DIR "/tests/fixtures/models/bert_mlm", model);
    json config = json::parse(read_file(model / "config.json"));
    config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.1;
    std::ofstream(model / "config.json") << config.dump();
    std::ofstream(folder_ / "train.tsv") << rows(22);
    std::ofstream(folder_ / "dev.tsv") << rows(9);
  }

  FinetuneConfig configuration(const fs::path& output) const {
    const std::string yaml = "model: {initialize_from: '" + (folder_ / "model") +
                             "'}\ntask: sequence_classification\ndata: {train: '" + (folder_ / "train.tsv") +
                             "', validation: '" + (folder_ / "dev.tsv") +
                             "', sequence_length: 16}\n"
                             "training: {epochs: 4, global_batch_size: 8, micro_batch_size: 3, learning_rate: 3e-3, "
                             "warmup_steps: 5}\n"
                             "evaluation: {every_steps: 4}\ncheckpoint: {every_steps: 1, keep: 20}\noutput: '" +
                             output.string() + "'\n";
    return parse_finetune_config(yaml, "config.yaml", {});
  }

  // Calls `after` behind every line of metrics, while the run still stands at it.
  static void run(const FinetuneConfig& config, const std::function<void(const MetricsLine&)>& after) {
    SelfCommunicator self;
    const RunEvents events = {.note = [](const std::string&) {},
                              .metrics = [&](const MetricsLine& line, int64_t) { after(line); }};
    EXPECT_EQ(finetune(config, self, events).outcome, Trainer::Outcome::kFinished);
  }

  // The lines of metrics but for what time and memory say.
  static std::vector<std::string> metrics(const fs::path& output) {
    std::vector<std::string> lines;
    std::ifstream file(output / "metrics.jsonl");
    for (std::string line; std::getline(file, line);) {
      json object = json::parse(line);
      for (const char* key : {"tokens_per_s", "mfu", "communication_share", "peak_rss_mib", "elapsed_s", "save_s"}) {
        object.erase(key);
      }
      lines.push_back(object.dump());
    }
    return lines;
  }

  TemporaryDirectory folder_;
};

// What a run has written at one moment is what a kill at that moment leaves.
TEST_F(FinetuneResume, IsExactFromEveryMomentOfARun) {
  const fs::path whole = folder_ / "whole";
  std::vector<std::pair<std::string, fs::path>> moments;
  run(configuration(whole), [&](const MetricsLine& line) {
    const fs::path copy = folder_ / ("moment-" + std::to_string(moments.size()));
    fs::copy(whole, copy, fs::copy_options::recursive);
    moments.emplace_back(line.phase + " " + std::to_string(line.step), copy);
  });
  ASSERT_EQ(moments.size(), 11u + 3 + 11) << "train, evaluation and checkpoint lines";
  const std::string weights = read_file(whole / "model/model.safetensors");
  ASSERT_FALSE(weights.empty());
  for (const auto& [moment, copy] : moments) {
    run(configuration(copy), [](const MetricsLine&) {});
    EXPECT_TRUE(read_file(copy / "model/model.safetensors") == weights) << moment;
    EXPECT_EQ(read_file(copy / "results.json"), read_file(whole / "results.json")) << moment;
    EXPECT_EQ(metrics(copy), metrics(whole)) << moment;
    fs::remove_all(copy);
  }
}

}  // namespace
}  // namespace bertha
