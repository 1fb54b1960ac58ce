#include "visualize/reported_run.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/core/error.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"
#include "visualize/report_page.h"
#include "visualize/run_summary.h"
#include "visualize/terminal_report.h"

namespace bertha {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class ReportedRunTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories(fs::path(folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  // A run of three steps and two evaluations.
  void write_run(const std::string& name, const std::string& task) const {
    write(name + "/config.yaml",
          "task: " + task + "\ntraining: {steps: 3, betas: [0.9, 0.999]}\noutput: '" + name + "'\n");
    write(name + "/run.json", R"({"processor": "a chip", "ranks": 2, "unigram_entropy": 6.5, "odd": [1]})");
    write(name + "/metrics.jsonl", R"({"phase":"train","step":1,"tokens":10,"loss":3,"tokens_per_s":5,"elapsed_s":2})"
                                   "\n"
                                   R"({"phase":"evaluation","step":1,"loss":2.5,"accuracy":0.5,"elapsed_s":2})"
                                   "\n"
                                   R"({"phase":"train","step":2,"tokens":20,"loss":2,"tokens_per_s":7,"elapsed_s":4})"
                                   "\n"
                                   R"({"phase":"evaluation","step":2,"loss":2.75,"accuracy":0.75,"elapsed_s":4})"
                                   "\n"
                                   R"({"phase":"train","step":3,"tokens":30,"loss":1.5,"tokens_per_s":6,"elapsed_s":6})"
                                   "\n");
  }
  ReportedRun read(const std::string& name) const {
    std::vector<ReportedRun> runs = find_runs(folder_ / name);
    EXPECT_EQ(runs.size(), 1u);
    runs[0].update();
    return runs[0];
  }
  std::string message(const std::string& name) const {
    return message_of<ConfigError>([&] { find_runs(folder_ / name); });
  }

  TemporaryDirectory folder_;
};

TEST_F(ReportedRunTest, SumsUpWithTheEvaluationThatDecides) {
  write_run("a", "mlm");
  const json summary = json::parse(summary_json(read("a")));
  EXPECT_EQ(summary["run"], folder_ / "a");
  EXPECT_EQ(summary["step"], 3);
  EXPECT_EQ(summary["tokens"], 30);
  EXPECT_EQ(summary["elapsed_s"], 6);
  EXPECT_EQ(summary["loss"], 1.5);
  EXPECT_EQ(summary["tokens_per_s"], 6);
  EXPECT_EQ(summary["best"], (json{{"metric", "loss"}, {"value", 2.5}, {"step", 1}}));
  EXPECT_TRUE(summary["mfu"].is_null());
  write_run("b", "sequence_classification");
  EXPECT_EQ(json::parse(summary_json(read("b")))["best"], (json{{"metric", "accuracy"}, {"value", 0.75}, {"step", 2}}));
}

TEST_F(ReportedRunTest, ReadsConfigurationAndMachine) {
  write_run("a", "mlm");
  const ReportedRun run = read("a");
  EXPECT_EQ(
      run.files().configuration,
      (NamedTexts{{"task", "mlm"}, {"training.steps", "3"}, {"training.betas", "[0.9, 0.999]"}, {"output", "a"}}));
  EXPECT_EQ(run.files().facts, (NamedTexts{{"processor", "a chip"}, {"ranks", "2"}, {"unigram_entropy", "6.5"}}));
  EXPECT_EQ(run.files().unigram_entropy, 6.5);
  EXPECT_TRUE(run.files().notes.empty());
}

TEST_F(ReportedRunTest, NamesWhatIsMissingAndWhatIsDamaged) {
  write("a/config.yaml", "task: [mlm\n");
  write("a/run.json", "{");
  write("a/analysis.json", R"({"validation": {"items": "many"}})");
  const std::vector<std::string> notes = read("a").files().notes;
  ASSERT_EQ(notes.size(), 4u);
  EXPECT_EQ(notes[0], "metrics.jsonl: is missing");
  EXPECT_TRUE(notes[1].starts_with(folder_ / "a/config.yaml:")) << notes[1];
  EXPECT_EQ(notes[2], (folder_ / "a/run.json") + ": is no JSON object");
  EXPECT_EQ(notes[3], (folder_ / "a/analysis.json") + ": is not what fine-tuning writes");
  write("b/config.yaml", "task: sequence_classification\ndata: {train: t.tsv}\n");
  write("b/model/model.safetensors", "");
  EXPECT_EQ(read("b").files().notes,
            (std::vector<std::string>{"metrics.jsonl: is missing", "run.json: is missing", "results.json: is missing",
                                      "analysis.json: is missing"}));
}

TEST_F(ReportedRunTest, SeedsAreRunsInTheOrderOfTheirNumbers) {
  for (const char* seed : {"10", "2", "1"}) write_run(std::string("fine/seed-") + seed, "regression");
  fs::create_directories(folder_ / "fine/seed-3");
  write_run("fine/seed-x", "regression");
  const std::vector<ReportedRun> runs = find_runs(folder_ / "fine/");
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].name(), folder_ / "fine/seed-1");
  EXPECT_EQ(runs[1].name(), folder_ / "fine/seed-2");
  EXPECT_EQ(runs[2].name(), folder_ / "fine/seed-10");
  EXPECT_EQ(runs[2].group(), folder_ / "fine");
}

TEST_F(ReportedRunTest, ADirectoryThatIsNoRunIsRefused) {
  EXPECT_EQ(message("none"), (folder_ / "none") + ": does not exist");
  write("file", "");
  EXPECT_EQ(message("file"), (folder_ / "file") + ": is not a directory");
  fs::create_directories(folder_ / "empty");
  EXPECT_EQ(
      message("empty"),
      (folder_ / "empty") + ": is no run directory (it has no metrics.jsonl, no config.yaml and no seed-N/ with one)");
}

TEST_F(ReportedRunTest, APageHasMeanAndSampleDeviationOfSeeds) {
  for (const auto& [seed, accuracy] : {std::pair("1", 0.5), {"2", 0.75}}) {
    const std::string name = std::string("fine/seed-").append(seed);
    write_run(name, "sequence_classification");
    write(name + "/results.json", json{{"validation", {{"accuracy", accuracy}, {"f1", nullptr}}}}.dump());
  }
  write_run("fine/seed-3", "sequence_classification");  // still running
  std::vector<ReportedRun> runs = find_runs(folder_ / "fine");
  for (ReportedRun& run : runs) run.update();
  const std::string page = report_page(runs);
  const size_t begin = page.find("{\"runs\":");
  ASSERT_NE(begin, std::string::npos);
  const json data = json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  ASSERT_EQ(data["groups"].size(), 1u);
  const json& scores = data["groups"][0]["scores"];
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0]["values"], (json{0.5, 0.75, nullptr}));
  EXPECT_EQ(scores[0]["mean"], 0.625);
  EXPECT_NEAR(scores[0]["deviation"].get<double>(), 0.1767766952966369, 1e-15);
  EXPECT_TRUE(scores[1]["mean"].is_null());
}

TEST_F(ReportedRunTest, ATerminalReportFitsAndSaysWhatWasPassedOver) {
  write_run("a", "mlm");
  write("a/metrics.jsonl", "{\"phase\":\"train\",\"step\":1,\"loss\":3}\nnonsense\n");
  write_run("b\033[31m", "mlm");
  std::vector<ReportedRun> runs = {read("a"), read("b\033[31m")};
  for (const int64_t width : {40, 80, 120}) {
    const std::string text = terminal_report(runs, width, TerminalColors::kOff);
    EXPECT_EQ(text.find('\033'), std::string::npos);
    EXPECT_NE(text.find("b?[31m"), std::string::npos);
    EXPECT_NE(text.find("a: metrics.jsonl: damaged lines passed over: 1"), std::string::npos) << text;
    EXPECT_NE(text.find("training loss (nats)"), std::string::npos);
  }
}

}  // namespace
}  // namespace bertha
