#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "tests/cli/run_bertha.h"
#include "train/finetune_config.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kSource = BERTHA_SOURCE_DIR;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder in which the files stand that configurations and pages name.
class Recipes : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "models");
    fs::create_directory_symlink(kSource / "tests/fixtures/models/bert_mlm", folder_ / "models/base");
    fs::create_directory_symlink(kSource / "configs", folder_ / "configs");
  }

  // Examples of a configuration's task in the layout that a file's name says.
  void write_examples(const std::string& path, const FinetuneConfig& config) const {
    fs::create_directories(fs::path(folder_ / path).parent_path());
    std::ofstream file(folder_ / path);
    if (config.task == Task::kQuestionAnswering) {
      const json answers = {{{"text", "sea"}, {"answer_start", 11}}};
      const json qas = {{{"id", "1"}, {"question", "by ?"}, {"answers", answers}}};
      file << json({{"data", {{{"paragraphs", {{{"context", "fox by the sea"}, {"qas", qas}}}}}}}});
    } else if (path.ends_with(".conll")) {
      for (int i = 0; i < 8; ++i) file << "the O\nfox B-X\n\n";
    } else {
      write_table(file, fs::path(path).extension(), config);
    }
  }

  CommandResult run(const std::string& command) const {
    return run_command("cd " + folder_.path() +
                           " && OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PATH=\"" +
                           fs::path(BERTHA_BINARY).parent_path().string() + ":$PATH\" sh -c '" + command + "'",
                       "");
  }

  TemporaryDirectory folder_;

 private:
  static void write_table(std::ofstream& file, const std::string& ending, const FinetuneConfig& config) {
    const TaskColumns& c = config.data.columns;
    std::vector<std::string> columns = {c.text};
    for (const std::string& column : {c.pair, c.label, c.intent, c.slots}) {
      if (!column.empty()) columns.push_back(column);
    }
    columns.insert(columns.end(), c.choices.begin(), c.choices.end());
    const char* separator = ending == ".csv" ? "," : "\t";
    const auto line = [&](auto cell) {
      if (ending == ".jsonl") {
        json object;
        for (const std::string& column : columns) object[column] = cell(column);
        file << object << "\n";
      } else {
        for (const std::string& column : columns) file << (&column == columns.data() ? "" : separator) << cell(column);
        file << "\n";
      }
    };
    if (ending != ".jsonl") line([](const std::string& column) { return column; });
    for (int row = 0; row < 8; ++row) {
      line([&](const std::string& column) -> std::string {
        if (column == c.label || column == c.intent) return std::to_string(row % 2);
        return column == c.slots ? "O B-X" : "the fox";
      });
    }
  }
};

const std::string kSmall = " data.sequence_length=16 data.stride=4";

TEST_F(Recipes, RunOnTwoRanks) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kSource / "configs")) {
    const std::string name = entry.path().filename();
    const bool distils = name.starts_with("distill-");
    if (!name.starts_with("finetune-") && !distils) continue;
    const FinetuneConfig config = load_finetune_config(entry.path(), {});
    std::string overrides = kSmall;
    for (const std::string& path : {config.data.train, config.data.validation, config.data.test}) {
      if (!path.empty()) write_examples(path, config);
    }
    if (distils) {
      write_examples("data/test.tsv", config);
      const CommandResult teacher =
          run("bertha finetune configs/finetune-classification.yaml training.epochs=1 \"seeds=[1]\"" + kSmall);
      ASSERT_EQ(teacher.exit_code, 0) << teacher.err;
      overrides += " \"model.keep_layers=[1]\"";
    }
    const CommandResult plan = run(BERTHA_MPIEXEC " --oversubscribe --bind-to none -n 2 bertha finetune configs/" +
                                   name + " --dry-run" + overrides);
    EXPECT_EQ(plan.exit_code, 0) << name << "\n" << plan.err;
    EXPECT_NE(plan.out.find("on each of 2 ranks"), std::string::npos) << name << "\n" << plan.out;
    ++count;
  }
  EXPECT_GE(count, 9);
}

// Commands as pages and comments have them, continued lines joined.
std::vector<std::string> commands_of(const fs::path& path, const std::string& begin) {
  std::vector<std::string> commands;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(begin)) continue;
    for (std::string more; line.ends_with("\\") && std::getline(lines, more);) {
      line.pop_back();
      line += more.substr(more.find_first_not_of("# "));
    }
    commands.push_back(line.substr(begin.find("bertha")));
  }
  return commands;
}

TEST_F(Recipes, CommandsOfThePageAndOfCommentsFit) {
  const FinetuneConfig config = load_finetune_config(kSource / "configs/finetune-classification.yaml", {});
  for (const char* name : {"train.tsv", "dev.tsv", "test.tsv"}) write_examples(name, config);
  fs::create_directory_symlink("models/base", folder_ / "MODEL_DIR");
  std::vector<std::string> commands = commands_of(kSource / "docs/fine-tuning.md", "bertha finetune");
  ASSERT_EQ(commands.size(), 1u);
  for (const auto& entry : fs::directory_iterator(kSource / "configs")) {
    const auto more = commands_of(entry.path(), "#   bertha finetune");
    commands.insert(commands.end(), more.begin(), more.end());
  }
  ASSERT_GE(commands.size(), 2u);
  for (const std::string& command : commands) {
    const CommandResult plan = run(command + " --dry-run" + kSmall);
    EXPECT_EQ(plan.exit_code, 0) << command << "\n" << plan.err;
  }
}

class RecipePlan : public Recipes {
 protected:
  void SetUp() override {
    Recipes::SetUp();
    const FinetuneConfig config = load_finetune_config(kSource / "configs/finetune-classification.yaml", {});
    for (const std::string& path : {config.data.train, config.data.validation, config.data.test}) {
      write_examples(path, config);
    }
  }
  CommandResult plan(const std::string& overrides) const {
    return run("bertha finetune configs/finetune-classification.yaml --dry-run" + kSmall + " " + overrides);
  }
};

TEST_F(RecipePlan, SaysWhatRunsTakeAndWhatFilesHold) {
  std::ofstream(folder_ / "data/dev.tsv")
      << "sentence\tlabel\nthe fox by the sea by the sea by the sea by the sea by the sea\t1\n";
  const CommandResult result = plan("training.global_batch_size=4");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* sentence : {"length: 6 steps", "seeds: 1, 2, 3, a run of each in runs/classification/seed-N",
                               "memory of a rank: ", "disk: up to ", "dev.tsv: 1 of 1 texts were cut to fit into 16"}) {
    EXPECT_NE(result.out.find(sentence), std::string::npos) << sentence << "\n" << result.out;
  }
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
}

TEST_F(RecipePlan, SeesAWarmUpThatIsLongerThanTheRun) {
  const CommandResult result = plan("training.warmup_steps=100");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("training.warmup_steps: 100 (the run has 1 steps)"), std::string::npos) << result.err;
}

TEST_F(RecipePlan, SaysHowLongATimeBudgetIs) {
  std::ofstream(folder_ / "timed.yaml") << "model: {initialize_from: models/base}\ntask: sequence_classification\n"
                                           "data: {train: data/train.tsv, text_column: sentence}\n"
                                           "training: {time_budget: 2h}\noutput: runs/timed\n";
  const CommandResult result = run("bertha finetune timed.yaml --dry-run" + kSmall);
  EXPECT_NE(result.out.find("length: 2h of steps"), std::string::npos) << result.out << result.err;
}

TEST_F(RecipePlan, RefusesADiskThatIsTooSmall) {
  const CommandResult result = plan("checkpoint.keep=1000000000");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("bytes are free (the run needs up to"), std::string::npos) << result.err;
}

// Each rank in a folder of its own, with a validation file of its own.
TEST_F(Recipes, RanksThatReadOtherFilesAreRefused) {
  const FinetuneConfig config = load_finetune_config(kSource / "configs/finetune-classification.yaml", {});
  write_examples("train.tsv", config);
  for (const char* rank : {"0", "1"}) {
    fs::create_directory(folder_ / rank);
    std::ofstream(folder_ / (std::string(rank) + "/dev.tsv")) << "sentence\tlabel\nthe fox\t" << rank << "\n";
  }
  const std::string program =
      "bertha finetune ../configs/finetune-classification.yaml model.initialize_from=../models/base "
      "data.train=../train.tsv data.validation=dev.tsv data.test=../train.tsv \"seeds=[1]\" output=" +
      (folder_ / "run") + kSmall;
  const CommandResult result = run(BERTHA_MPIEXEC " --oversubscribe --bind-to none -n 1 --wdir " + (folder_ / "0") +
                                   " " + program + " : -n 1 --wdir " + (folder_ / "1") + " " + program);
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("data.validation"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace bertha
