// `bertha report`, and the report.html that a run keeps.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/utf8.h"
#include "tests/cli/small_finetuning.h"
#include "tests/cli/small_run.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What a page's scripts find as their data.
json data_of(const std::string& page) {
  const std::string mark = "id=\"data\">";
  const size_t begin = page.find(mark) + mark.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin), nullptr, false);
}

json fact(const json& run, const std::string& name) {
  for (const json& pair : run["facts"]) {
    if (pair[0] == name) return pair[1];
  }
  return nullptr;
}

class RunReport : public SmallRun {
 protected:
  json page(const std::string& path) const { return data_of(read_file(folder_ / path)); }
  CommandResult report(const std::string& arguments) const {
    return run_command("cd " + folder_.path() + " && " BERTHA_BINARY " report " + arguments, "");
  }
};

TEST_F(RunReport, ARunLeavesItsPageAndResumingKeepsItFresh) {
  ASSERT_EQ(run_command(on(1, "training.steps=30"), "").exit_code, 0);
  json run = page("run/report.html")["runs"][0];
  EXPECT_EQ(run["name"], folder_ / "run");
  EXPECT_EQ(run["summary"]["step"], 30);
  EXPECT_EQ(run["summary"]["checkpoints"], 6);
  EXPECT_EQ(run["summary"]["evaluations"], 1);
  EXPECT_EQ(run["summary"]["loss"], losses("run").back());
  EXPECT_EQ(run["summary"]["notes"], json::array());
  EXPECT_GT(run["unigram_entropy"], 2);
  EXPECT_LT(run["unigram_entropy"], 4.5) << "nats, of 90 tokens";
  EXPECT_EQ(fact(run, "ranks"), "1");
  EXPECT_EQ(fact(run, "threads_per_rank"), "1");
  EXPECT_NE(fact(run, "processor"), nullptr);
  ASSERT_EQ(run_command(on(2, "training.steps=60"), "").exit_code, 0);
  run = page("run/report.html")["runs"][0];
  EXPECT_EQ(run["summary"]["step"], 60);
  EXPECT_EQ(run["summary"]["lines"], 60 + 12 + 2);
  EXPECT_EQ(run["marks"]["checkpoint"]["steps"].back(), 60);
  EXPECT_EQ(fact(run, "ranks"), "2");
  fs::remove(folder_ / "run/report.html");
  ASSERT_EQ(run_command(on(1, "training.steps=60"), "").exit_code, 0);
  EXPECT_EQ(page("run/report.html")["runs"][0]["summary"]["step"], 60) << "of a run that is finished, too";
}

TEST_F(RunReport, APageThatCannotBeWrittenStopsNothing) {
  fs::create_directories(folder_ / "run/report.html/in-the-way");
  const CommandResult result = run_command(on(1, ""), "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string note = "the report is not fresh, and the run goes on: " + (folder_ / "run/report.html") + ": ";
  const size_t first = result.err.find(note);
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find(note, first + 1), std::string::npos) << "said once: " << result.err;
  EXPECT_EQ(losses("run").size(), 60u);
  for (const auto& entry : fs::directory_iterator(folder_ / "run")) {
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
  }
}

TEST_F(RunReport, ShowsSeveralRunsOnAPageAsJsonAndInTheTerminal) {
  ASSERT_EQ(run_command(on(1, "training.steps=20" + output("a")), "").exit_code, 0);
  ASSERT_EQ(run_command(on(1, "training.steps=10 training.learning_rate=1e-3" + output("b")), "").exit_code, 0);
  const CommandResult both = report("a b/ --output both.html --json");
  ASSERT_EQ(both.exit_code, 0) << both.err;
  std::istringstream lines(both.out);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line)["run"], "a");
  EXPECT_EQ(json::parse(line)["step"], 20);
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line)["run"], "b");
  EXPECT_EQ(json::parse(line)["loss"], losses("b").back());
  EXPECT_FALSE(std::getline(lines, line));
  const json data = page("both.html");
  ASSERT_EQ(data["runs"].size(), 2u);
  EXPECT_EQ(data["runs"][1]["summary"], json::parse(both.out.substr(both.out.find('\n') + 1)));

  const CommandResult terminal =
      run_command("cd " + folder_.path() + " && COLUMNS=61 NO_COLOR=1 " BERTHA_BINARY " report --terminal a b", "");
  ASSERT_EQ(terminal.exit_code, 0) << terminal.err;
  EXPECT_EQ(terminal.out.find('\033'), std::string::npos);
  EXPECT_NE(terminal.out.find("training loss (nats)  * a "), std::string::npos) << terminal.out;
  std::istringstream shown(terminal.out);
  int64_t widest = 0;
  while (std::getline(shown, line)) widest = std::max(widest, count_code_points(line));
  EXPECT_LE(widest, 61) << terminal.out;
  EXPECT_GE(widest, 56);
}

TEST_F(RunReport, RefusesWhatIsNoRunAndSaysWhatIsWanted) {
  fs::create_directory(folder_ / "empty");
  const CommandResult none = report("empty --json");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_EQ(none.err,
            "bertha: empty: is no run directory (it has no metrics.jsonl, no config.yaml and no seed-N/ with one)\n");
  EXPECT_EQ(report("missing --json").exit_code, 2);
  EXPECT_EQ(report("empty").exit_code, 2);
  EXPECT_EQ(report("--json").exit_code, 2);
}

TEST_F(RunReport, ADeviceIsNotReplacedByAPage) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(report("run --output pipe").exit_code, 2);
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
}

TEST_F(RunReport, DamagedHistoriesAreShownAsFarAsTheyGo) {
  fs::create_directory(folder_ / "old");
  std::ofstream(folder_ / "old/metrics.jsonl") << "{\"phase\":\"train\",\"step\":1,\"loss\":2}\n\xFF\n{\"ph";
  const CommandResult result = report("old --output old.html --json --terminal");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json run = page("old.html")["runs"][0];
  EXPECT_EQ(run["summary"]["damaged_lines"], 2);
  EXPECT_EQ(run["summary"]["notes"],
            (json{"config.yaml: is missing", "run.json: is missing", "metrics.jsonl: damaged lines passed over: 2"}));
  for (const std::string& shown : {result.out, result.err}) {
    EXPECT_NE(shown.find("old: metrics.jsonl: damaged lines passed over: 2"), std::string::npos) << shown;
  }
}

class FinetuningReport : public SmallFinetuning {
 protected:
  json page(const std::string& path) const { return data_of(read_file(folder_ / path)); }
  json report(const std::string& run) const {
    const CommandResult result = run_bertha("report " + (folder_ / run) + " --output " + (folder_ / "page.html"), "");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return page("page.html");
  }
  /// Of the table that `evaluate --predictions` writes, rows by their gold and predicted label.
  std::map<std::pair<std::string, std::string>, int64_t> counts_of(const std::string& file) const {
    std::map<std::pair<std::string, std::string>, int64_t> counts;
    std::istringstream rows(read_file(folder_ / file));
    std::string row;
    std::getline(rows, row);
    while (std::getline(rows, row)) {
      std::istringstream fields(row);
      std::string index, gold, predicted;
      std::getline(fields, index, '\t');
      std::getline(fields, gold, '\t');
      std::getline(fields, predicted, '\t');
      ++counts[{gold, predicted}];
    }
    return counts;
  }
};

TEST_F(FinetuningReport, ConfusionAndScoresAreThoseOfThePredictions) {
  write_examples(Task::kSequenceClassification);
  ASSERT_EQ(finetune("training.epochs=1 training.learning_rate=1e-3").exit_code, 0);
  const json scores = evaluate("dev.tsv", "--predictions " + (folder_ / "predictions.tsv"));
  const json run = page("run/report.html")["runs"][0];
  EXPECT_EQ(run["summary"]["results"]["validation"]["accuracy"], scores["accuracy"]);
  const json& analysis = run["analyses"]["validation"];
  std::map<std::pair<std::string, std::string>, int64_t> confusion;
  for (const json& cell : analysis["confusion"]) {
    confusion[{analysis["labels"][cell[0].get<size_t>()], analysis["labels"][cell[1].get<size_t>()]}] = cell[2];
  }
  const auto expected = counts_of("predictions.tsv");
  EXPECT_EQ(confusion, expected);
  int64_t wrong = 0;
  for (const auto& [labels, count] : expected) wrong += labels.first == labels.second ? 0 : count;
  ASSERT_GT(wrong, 0) << "or there is nothing to compare";
  EXPECT_EQ(analysis["mistakes_found"], wrong);
  const json& row = analysis["tables"][0]["rows"][0];
  ASSERT_EQ(row["name"], "animal");
  const auto at = [&](const char* gold, const char* predicted) {
    const auto found = expected.find({gold, predicted});
    return found == expected.end() ? 0 : static_cast<double>(found->second);
  };
  const double right = at("animal", "animal");
  EXPECT_EQ(row["support"], right + at("animal", "thing"));
  EXPECT_EQ(row["predicted"], right + at("thing", "animal"));
  EXPECT_NEAR(row["recall"], right / (right + at("animal", "thing")), 1e-12);
  for (const json& mistake : analysis["mistakes"]) {
    EXPECT_NE(read_file(folder_ / "dev.tsv")
                  .find(mistake["text"].get<std::string>() + "\t" + mistake["gold"].get<std::string>() + "\n"),
              std::string::npos)
        << mistake;
  }
}

TEST_F(FinetuningReport, EveryTaskHasAPage) {
  for (const Task task : finetuning_tasks()) {
    write_examples(task);
    fs::remove_all(folder_ / "run");
    ASSERT_EQ(finetune("training.epochs=1").exit_code, 0) << task_name(task);
    const json run = report("run")["runs"][0];
    EXPECT_EQ(run["summary"]["notes"], json::array()) << task_name(task);
    EXPECT_EQ(run["analyses"]["validation"]["items"].get<int64_t>() > 0, true) << task_name(task);
    EXPECT_FALSE(run["summary"]["best"].is_null()) << task_name(task);
  }
}

TEST_F(FinetuningReport, SeedsHavePagesOfTheirOwnAndOneTogether) {
  write_examples(Task::kSequenceClassification);
  ASSERT_EQ(finetune("training.epochs=1 'seeds=[3, 1]'").exit_code, 0);
  for (const char* seed : {"1", "3"}) {
    const json own = page(std::string("run/seed-") + seed + "/report.html");
    ASSERT_EQ(own["runs"].size(), 1u);
    EXPECT_TRUE(own["runs"][0]["analyses"].contains("validation")) << "its scores are in";
  }
  const json together = page("run/report.html");
  ASSERT_EQ(together["runs"].size(), 2u);
  const json expected = results();
  for (const json& score : together["groups"][0]["scores"]) {
    const json& summary = expected[score["part"].get<std::string>() + "." + score["name"].get<std::string>()];
    EXPECT_EQ(score["mean"], summary["mean"]);
    EXPECT_EQ(score["deviation"], summary["deviation"]);
    EXPECT_EQ(score["values"], summary["values"]);
  }
  EXPECT_EQ(report("run")["runs"].size(), 2u);
}

}  // namespace
}  // namespace bertha
