#include "train/recipes/task_report.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bertha {
namespace {

double metric(const TaskReport& report, std::string_view name) {
  const auto found = std::ranges::find(report.metrics, name, &std::pair<std::string, double>::first);
  return found == report.metrics.end() ? -1 : found->second;
}

TaskExample window(int64_t item, std::vector<int32_t> words) {
  TaskExample example;
  example.item = item;
  example.words = std::move(words);
  example.rows.resize(example.words.size());
  return example;
}

// A sentence in two windows and one in one; the second intent is wrong.
struct Intents {
  TaskDescription task;
  TaskSet set;
  std::vector<TaskOutputs> outputs;

  Intents() {
    task.task = Task::kIntentAndSlots;
    task.labels = {"look", "take"};
    task.slots = {"B-x", "O"};
    set.examples = std::make_shared<const std::vector<TaskExample>>(
        std::vector<TaskExample>{window(0, {0, 1}), window(0, {2}), window(1, {0})});
    set.items = 2;
    set.labels = {1, 0};
    set.sentences = {{{"in", "New York", "now"}, {"O", "B-x", "B-x"}}, {{"what"}, {"O"}}};
    // Two logits of intents, then two of each word; what the second window says of the intent does not count.
    outputs = {{0, 1, 0, 1, 1, 0}, {9, 0, 1, 0}, {0, 1, 0, 1}};
  }
};

TEST(TaskReport, JoinsTheWindowsOfASentence) {
  const Intents intents;
  const TaskReport report = report_task(intents.task, intents.set, intents.outputs);
  EXPECT_EQ(metric(report, "intent_accuracy"), 0.5);
  EXPECT_EQ(metric(report, "slot_f1"), 1);
  EXPECT_EQ(metric(report, "joint_accuracy"), 0.5);
}

TEST(TaskReport, WritesIntentsBesideSlots) {
  const Intents intents;
  const TaskReport report = report_task(intents.task, intents.set, intents.outputs);
  EXPECT_EQ(report.predictions, "in O O\nNew_York B-x B-x\nnow B-x B-x\n\nwhat O O\n\n") << "three columns a word";
  EXPECT_TRUE(report.intents.starts_with("index\tlabel\tpredicted\tscore\n0\ttake\ttake\t0.7310")) << report.intents;
  EXPECT_NE(report.intents.find("\n1\tlook\ttake\t"), std::string::npos) << report.intents;
  EXPECT_NE(report.table.find("gold \\ predicted"), std::string::npos) << report.table;
}

TEST(TaskReport, WritesScoresAsTheFileHasThem) {
  TaskDescription task;
  task.task = Task::kRegression;
  TaskSet set;
  set.examples = std::make_shared<const std::vector<TaskExample>>(2);
  set.scores = {3.4, 1};
  EXPECT_EQ(report_task(task, set, {{1.5f}, {0.5f}}).predictions,
            "index\tlabel\tpredicted\tscore\n0\t3.4\t1.5\t1.5\n1\t1\t0.5\t0.5\n");
}

}  // namespace
}  // namespace bertha
