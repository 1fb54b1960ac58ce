#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/inspect/json_schema.h"
#include "tests/cli/small_finetuning.h"
#include "tests/cli/small_run.h"

namespace bertha {
namespace {

nlohmann::json run_json(const std::string& arguments) {
  const CommandResult result = run_bertha("inspect --json " + arguments, "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  for (const std::string& fault : JsonSchema::named("inspect-run").faults(report)) ADD_FAILURE() << fault;
  return report;
}

class InspectRunTest : public SmallRun {
 protected:
  void SetUp() override {
    SmallRun::SetUp();
    const CommandResult made = run_command(on(1, ""), "");
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  const std::string run_ = folder_ / "run";
};

TEST_F(InspectRunTest, SumsUpARun) {
  const nlohmann::json report = run_json(run_);
  EXPECT_EQ(report["kind"], "run directory");
  EXPECT_EQ(report["task"], "mlm");
  EXPECT_EQ(report["finished"], true);
  EXPECT_EQ(report["step"], 60);
  EXPECT_EQ(report["steps"], 60);
  EXPECT_EQ(report["last_step"]["step"], 60);
  EXPECT_EQ(report["last_step"]["loss"], losses("run").back());
  EXPECT_EQ(report["evaluations"], 2);
  EXPECT_EQ(report["best_evaluation"], report["last_evaluation"]);
  EXPECT_EQ(report["checkpoints"], (std::vector<std::string>{"step-00000060", "step-00000055"}));
  EXPECT_EQ(report["latest_checkpoint"], "step-00000060");
  EXPECT_EQ(report["model"]["path"], run_ + "/model");
  EXPECT_EQ(report["facts"]["ranks"], 1);
  EXPECT_EQ(report["facts"]["precision"], "f32");
  EXPECT_FALSE(report.contains("advice"));
  const CommandResult text = run_bertha("inspect " + run_, "");
  EXPECT_NE(text.out.find("\nsteps                        60 of 60\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("step-00000060 (latest), step-00000055"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\n  precision                  f32\n"), std::string::npos) << text.out;
}

TEST_F(InspectRunTest, GivesAdvice) {
  const nlohmann::json report = run_json(run_ + " --advice");
  ASSERT_FALSE(report["advice"].empty()) << "its text is made of six lines";
  EXPECT_EQ(report["advice"][0]["id"], "repeated_text");
  EXPECT_GT(report["advice"][0]["figures"]["repeated_share"], 0.9);
  EXPECT_TRUE(report["missing"].empty());
  const CommandResult text = run_bertha("inspect --advice " + run_, "");
  EXPECT_NE(text.out.find("  repeated_text: "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("repeated_share 0."), std::string::npos) << text.out;
}

TEST_F(InspectRunTest, FindsALearningRateThatIsFarTooHigh) {
  const CommandResult made = run_command(on(1, "training.learning_rate=1 training.steps=140" + output("wild")), "");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const nlohmann::json report = run_json((folder_ / "wild") + " --advice");
  bool found = false;
  for (const auto& advice : report["advice"]) {
    found = found || advice["id"] == "high_learning_rate";
    EXPECT_EQ(advice["suggestion"].get<std::string>().find("higher learning rate"), std::string::npos) << advice;
  }
  EXPECT_TRUE(found) << report["advice"];
}

TEST_F(InspectRunTest, SaysWhatItCouldNotLookAt) {
  std::filesystem::remove_all(run_ + "/shards");
  std::filesystem::remove(run_ + "/metrics.jsonl");
  const nlohmann::json report = run_json(run_ + " --advice");
  EXPECT_TRUE(report["advice"].empty());
  EXPECT_EQ(report["missing"].size(), 3u);
  EXPECT_EQ(report["step"], 0);
  EXPECT_TRUE(report["last_step"].is_null());
  const CommandResult text = run_bertha("inspect --advice " + run_, "");
  EXPECT_NE(text.out.find("nothing stands out"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("not looked at: no shards"), std::string::npos) << text.out;
}

TEST_F(InspectRunTest, ItsShardsFindTheVocabularyAbove) {
  const CommandResult result = run_bertha("inspect --json " + run_ + "/shards", "");
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["vocabulary"], run_ + "/vocab.txt");
  EXPECT_EQ(report["samples"].size(), 3u);
}

TEST_F(InspectRunTest, AModelDirectoryWithoutWeightsIsNoModel) {
  std::filesystem::remove_all(run_ + "/model");
  std::filesystem::create_directory(run_ + "/model");
  const nlohmann::json report = run_json(run_);
  EXPECT_EQ(report["finished"], false);
  EXPECT_EQ(report["model"]["path"], run_ + "/checkpoints/step-00000060");
}

TEST_F(InspectRunTest, TheBestEvaluationHasAFiniteLoss) {
  std::ofstream(run_ + "/metrics.jsonl", std::ios::app) << "{\"phase\":\"evaluation\",\"step\":70,\"loss\":null}\n"
                                                           "{\"phase\":\"evaluation\",\"step\":80,\"loss\":1e-3}\n"
                                                           "{\"phase\":\"evaluation\",\"step\":90,\"loss\":null}\n";
  const nlohmann::json report = run_json(run_);
  EXPECT_EQ(report["best_evaluation"]["step"], 80);
  EXPECT_TRUE(report["last_evaluation"]["loss"].is_null());
}

TEST_F(InspectRunTest, AHistoryThatCannotBeReadIsAnError) {
  std::filesystem::remove(run_ + "/metrics.jsonl");
  std::filesystem::create_directory(run_ + "/metrics.jsonl");
  const CommandResult result = run_bertha("inspect " + run_, "");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "bertha: " + run_ + "/metrics.jsonl: is not a regular file\n");
}

TEST_F(InspectRunTest, RefusesWhatIsDamaged) {
  const std::string model = run_ + "/model/model.safetensors";
  std::filesystem::resize_file(model, 100);
  EXPECT_EQ(run_bertha("inspect " + run_, "").exit_code, 3);
  std::ofstream(run_ + "/config.yaml") << "task: [";
  EXPECT_EQ(run_bertha("inspect " + run_, "").exit_code, 2);
}

class InspectFinetuningTest : public SmallFinetuning {};

TEST_F(InspectFinetuningTest, SumsUpARun) {
  write_classification();
  ASSERT_EQ(finetune("training.epochs=2").exit_code, 0);
  const nlohmann::json report = run_json((folder_ / "run") + " --advice");
  EXPECT_EQ(report["task"], "sequence_classification");
  EXPECT_EQ(report["evaluations"], 2);
  EXPECT_TRUE(report["best_evaluation"].contains("accuracy"));
  EXPECT_TRUE(report["steps"].is_null()) << "epochs decide";
  EXPECT_TRUE(report["missing"].empty()) << "it has no shards: " << report["missing"];
}

TEST_F(InspectFinetuningTest, AsksForOneOfSeveralSeeds) {
  write_classification();
  ASSERT_EQ(finetune("seeds='[1, 2]' training.epochs=1").exit_code, 0);
  const CommandResult result = run_bertha("inspect " + (folder_ / "run"), "");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("expected one of them, such as " + (folder_ / "run/seed-")), std::string::npos)
      << result.err;
  EXPECT_EQ(run_json(folder_ / "run/seed-2")["kind"], "run directory");
}

}  // namespace
}  // namespace bertha
