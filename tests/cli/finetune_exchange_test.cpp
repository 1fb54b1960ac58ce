#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/batches.h"
#include "tests/cli/small_finetuning.h"
#include "tests/python.h"
#include "train/finetune_config.h"
#include "train/model_directory.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_set.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kExamples = 4;  // of which outputs are compared
const std::vector<std::string> kPair = {"the fox by the sea .", "a boat runs ."};

// What `bertha predict` takes for each task.
const std::map<Task, std::string> kInputs = {
    {Task::kSequenceClassification, "the fox by the sea .\n"},
    {Task::kMultiLabel, "the fox by the sea .\n"},
    {Task::kRegression, "the fox by the sea .\tthe bird by the sea .\n"},
    {Task::kTokenClassification, "the fox by the sea .\n"},
    {Task::kIntentAndSlots, "the fox by the sea\n"},
    {Task::kQuestionAnswering, "by ?\tthe fox by the garden .\n"},
    {Task::kMultipleChoice, "the fox by the sea .\truns\topens\n"},
};

class FinetuneExchangeParity : public SmallFinetuning, public ::testing::WithParamInterface<std::string> {
 protected:
  // One step on a task from a directory; what Bertha wrote is then `name`.
  void train(Task task, const std::string& directory, const std::string& name) const {
    write_examples(task);
    const CommandResult result =
        finetune("training.epochs=null training.steps=1 data.sequence_length=64 model.initialize_from=" + directory);
    ASSERT_EQ(result.exit_code, 0) << name << ": " << result.err;
    EXPECT_FALSE(predict(kInputs.at(task)).is_discarded()) << name;
    fs::rename(folder_ / "run", folder_ / name);
  }

  // Some of its training examples, as requests have them, and what the model makes of them.
  struct Case {
    json request;
    std::vector<TaskOutputs> outputs;
    Encoding pair;
  };
  Case make_case(Task task, const std::string& name) const {
    const std::string directory = folder_ / (name + "/model");
    const ModelDescription description = read_model_description(directory);
    const auto model = read_task_model(directory, description);
    const auto tokenizer = read_tokenizer(directory, description.config);
    const TaskFile file = read_task_file(training_file(), task);
    const TaskSet set = encode_task_file(file, description.task, *tokenizer);
    json examples = json::array();
    for (int64_t i = 0; i < kExamples; ++i) examples.push_back(to_json((*set.examples)[static_cast<size_t>(i)]));
    return {{{"directory", directory}, {"pair", kPair}, {"examples", examples}},
            task_outputs(*model, EvaluationBatches(example_source(set.examples), kExamples).at(0)),
            tokenizer->encode(kPair[0], kPair[1], {})};
  }

  static json to_json(const TaskExample& example) {
    json sequences = json::array();
    for (const TaskSequence& sequence : example.sequences) {
      std::vector<int> types(sequence.ids.size());
      std::fill(types.begin() + sequence.second_begin, types.end(), 1);
      sequences.push_back({{"ids", sequence.ids}, {"types", types}});
    }
    return {{"sequences", sequences}, {"rows", example.rows}};
  }

  // Of the task whose examples were written last.
  std::string training_file() const { return load_finetune_config(folder_ / "config.yaml", {}).data.train; }

  CommandResult run_script(const std::string& arguments, const std::string& input) const {
    return run_command(quoted(python()) + " " BERTHA_SOURCE_DIR "/tests/fixtures/" + arguments, input);
  }

  static void expect_equal(const std::string& name, const Case& ours, const json& theirs) {
    EXPECT_TRUE(theirs["problems"].empty()) << name << ": " << theirs["problems"];
    EXPECT_EQ(theirs["ids"].get<std::vector<int32_t>>(), ours.pair.ids) << name;
    ASSERT_EQ(theirs["outputs"].size(), ours.outputs.size()) << name;
    for (size_t example = 0; example < ours.outputs.size(); ++example) {
      const json& numbers = theirs["outputs"][example];
      ASSERT_EQ(numbers.size(), ours.outputs[example].size()) << name;
      for (size_t i = 0; i < numbers.size(); ++i) {
        EXPECT_NEAR(numbers[i].get<double>(), ours.outputs[example][i], 1e-5) << name << ", example " << example;
      }
    }
  }
};

// From what Hugging Face wrote, and from what Bertha made of that.
TEST_P(FinetuneExchangeParity, EveryTaskLoadsThereWithTheSameOutputs) {
  if (!python_has("torch, transformers")) {
    GTEST_SKIP() << python() << " has no torch and transformers (BERTHA_PYTHON names another)";
  }
  const CommandResult made = run_script("make_task_model.py " + GetParam() + " " + (folder_ / "given"), "");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  std::vector<std::pair<std::string, Case>> cases;
  std::string requests;
  for (const Task task : finetuning_tasks()) {
    const std::string first = std::string(task_name(task)), second = first + "-again";
    ASSERT_NO_FATAL_FAILURE(train(task, folder_ / "given", first));
    ASSERT_NO_FATAL_FAILURE(train(task, folder_ / (first + "/model"), second));
    for (const std::string& name : {first, second}) {
      cases.emplace_back(name, make_case(task, name));
      requests += cases.back().second.request.dump() + "\n";
    }
  }
  const CommandResult loaded = run_script("load_task.py", requests);
  ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
  std::istringstream answers(loaded.out);
  std::string line;
  for (const auto& [name, ours] : cases) {
    ASSERT_TRUE(std::getline(answers, line)) << name;
    expect_equal(name, ours, json::parse(line));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, FinetuneExchangeParity,
                         ::testing::Values("bert", "distilbert", "roberta", "roberta-wordpiece"), [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace bertha
