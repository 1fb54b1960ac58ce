#include "train/recipes/task_analysis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "autograd/core/error.h"
#include "data/utf8.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"
#include "train/recipes/analysis_file.h"
#include "train/recipes/excerpt.h"

namespace bertha {
namespace {

using Mistake = TaskAnalysis::Mistake;

// Logits whose softmax gives the second of two labels this probability.
TaskOutputs second_with(double probability) {
  return {0, static_cast<float>(std::log(probability / (1 - probability)))};
}

class TaskAnalysisTest : public ::testing::Test {
 protected:
  TaskFile file(const std::string& name, const std::string& content, Task task) const {
    std::ofstream(folder_ / name) << content;
    return read_task_file(folder_ / name, task);
  }
  static TaskExample window(int64_t item, std::vector<int32_t> words) {
    TaskExample example;
    example.item = item;
    example.words = std::move(words);
    return example;
  }
  static std::shared_ptr<const std::vector<TaskExample>> windows(int64_t items) {
    std::vector<TaskExample> all;
    for (int64_t item = 0; item < items; ++item) all.push_back(window(item, {}));
    return std::make_shared<const std::vector<TaskExample>>(all);
  }
  static int64_t cell(const TaskAnalysis& analysis, const std::string& gold, const std::string& predicted) {
    for (const TaskAnalysis::Cell& one : analysis.confusion) {
      const bool here = analysis.labels[static_cast<size_t>(one.gold)] == gold &&
                        analysis.labels[static_cast<size_t>(one.predicted)] == predicted;
      if (here) return one.count;
    }
    return 0;
  }
  static std::vector<std::string> kinds_of(const TaskAnalysis& analysis) {
    std::vector<std::string> kinds;
    for (const Mistake& mistake : analysis.mistakes) kinds.push_back(mistake.kind);
    std::ranges::sort(kinds);
    return kinds;
  }

  TemporaryDirectory folder_;
};

TEST_F(TaskAnalysisTest, CountsLabelsAndKeepsTheSurestMistakes) {
  TaskDescription task;
  task.task = Task::kSequenceClassification;
  task.labels = {"bad", "good"};
  task.columns.text = "text";
  task.columns.pair = "other";
  const TaskFile examples =
      file("dev.tsv", "text\tother\tlabel\none\ta\tbad\ntwo\tb\tbad\n\nthree\tc\tgood\nfour\td\tbad\n", task.task);
  TaskSet set;
  set.items = 4;
  set.labels = {0, 0, 1, 0};
  set.examples = windows(4);
  const std::vector<TaskOutputs> outputs = {second_with(0.6), second_with(0.2), second_with(0.9), second_with(0.7)};
  const TaskAnalysis analysis = analyze_task(task, examples, set, outputs);
  EXPECT_EQ(analysis.items, 4);
  EXPECT_EQ(cell(analysis, "bad", "bad"), 1);
  EXPECT_EQ(cell(analysis, "bad", "good"), 2);
  EXPECT_EQ(cell(analysis, "good", "good"), 1);
  EXPECT_EQ(cell(analysis, "good", "bad"), 0);
  ASSERT_EQ(analysis.tables.size(), 1u);
  EXPECT_EQ(analysis.tables[0].of, "label");
  EXPECT_EQ(analysis.tables[0].rows[0].first, "bad");
  EXPECT_EQ(analysis.tables[0].rows[0].second.gold, 3);
  EXPECT_EQ(analysis.tables[0].rows[0].second.correct, 1);
  EXPECT_EQ(analysis.tables[0].rows[1].second.predicted, 3);
  EXPECT_EQ(analysis.mistakes_found, 2);
  ASSERT_EQ(analysis.mistakes.size(), 2u);
  EXPECT_EQ(analysis.mistakes[0].text, "four");
  EXPECT_EQ(analysis.mistakes[0].pair, "d");
  EXPECT_EQ(analysis.mistakes[0].where, "line 6");
  EXPECT_EQ(analysis.mistakes[0].gold, "bad");
  EXPECT_EQ(analysis.mistakes[0].predicted, "good");
  EXPECT_NEAR(analysis.mistakes[0].score, 0.7, 1e-6);
  EXPECT_EQ(analysis.mistakes[1].text, "one");
}

TEST_F(TaskAnalysisTest, StaysSmallHoweverMuchIsWrong) {
  constexpr int64_t kItems = 3000;
  TaskDescription task;
  task.task = Task::kSequenceClassification;
  task.columns.text = "text";
  std::string rows = "text\tlabel\n";
  TaskSet set;
  set.items = kItems;
  set.examples = windows(kItems);
  std::vector<TaskOutputs> outputs;
  for (int64_t i = 0; i < kItems; ++i) {
    task.labels.push_back(std::string("l").append(std::to_string(10000 + i)));
    rows += std::string(5000, 'x') + "\tl\n";
    set.labels.push_back(static_cast<int32_t>(i));
    TaskOutputs& logits = outputs.emplace_back(kItems);
    logits[static_cast<size_t>((i + 1) % kItems)] = static_cast<float>(i % 500);
  }
  const TaskAnalysis analysis = analyze_task(task, file("dev.tsv", rows, task.task), set, outputs);
  EXPECT_EQ(analysis.mistakes_found, kItems - 1) << "where all logits are equal the first label wins";
  EXPECT_EQ(analysis.mistakes.size(), kMostMistakes);
  EXPECT_EQ(analysis.tables[0].rows.size(), kMostTableRows);
  EXPECT_LE(analysis.confusion.size(), kMostCells);
  EXPECT_LT(to_json(TaskAnalyses{{"validation", analysis}}).size(), 1u << 20);
}

TEST_F(TaskAnalysisTest, ComparesSpansAndShowsWhereTheyAre) {
  TaskDescription task;
  task.task = Task::kTokenClassification;
  task.labels = {"B-LOC", "B-PER", "I-PER", "O"};
  TaskSet set;
  set.items = 2;
  set.sentences = {{{"Zoë", "Ann", "saw", "Rome"}, {"B-PER", "I-PER", "O", "B-LOC"}, 1, true},
                   {{"in", "Oslo"}, {"O", "O"}, 6, true}};
  set.examples = std::make_shared<const std::vector<TaskExample>>(
      std::vector<TaskExample>{window(0, {0, 1, 2, 3}), window(1, {0, 1})});
  const auto tag = [](size_t label, float logit) {
    TaskOutputs logits(4);
    logits[label] = logit;
    return logits;
  };
  const auto together = [](std::initializer_list<TaskOutputs> parts) {
    TaskOutputs all;
    for (const TaskOutputs& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  // The name lacks its second word, the first place is missed, and a place is found that is none.
  const std::vector<TaskOutputs> outputs = {together({tag(1, 3), tag(3, 3), tag(3, 9), tag(3, 5)}),
                                            together({tag(3, 9), tag(0, 9)})};
  const TaskAnalysis analysis = analyze_task(task, {"dev.conll", std::vector<TaggedSentence>()}, set, outputs);
  EXPECT_EQ(kinds_of(analysis), (std::vector<std::string>{"missed", "spurious", "wrong boundary"}));
  EXPECT_EQ(cell(analysis, "PER", ""), 1);
  EXPECT_EQ(cell(analysis, "", "PER"), 1);
  EXPECT_EQ(cell(analysis, "LOC", ""), 1);
  EXPECT_EQ(cell(analysis, "", "LOC"), 1);
  EXPECT_EQ(cell(analysis, "PER", "PER"), 0);
  const Mistake& surest = analysis.mistakes[0];
  EXPECT_EQ(surest.kind, "spurious");
  EXPECT_EQ(surest.where, "line 6");
  EXPECT_EQ(surest.text, "in Oslo");
  EXPECT_EQ(surest.predicted_place, (CodePoints{3, 7}));
  EXPECT_FALSE(surest.gold_place);
  const Mistake& boundary = analysis.mistakes[2];
  EXPECT_EQ(boundary.gold_place, (CodePoints{0, 7})) << "in code points";
  EXPECT_EQ(boundary.predicted_place, (CodePoints{0, 3}));
}

TEST_F(TaskAnalysisTest, ShowsAnswersThatDiffer) {
  TaskDescription task;
  task.task = Task::kQuestionAnswering;
  task.unanswerable = true;
  const auto context = std::make_shared<const std::string>("the sea is blue");
  TaskSet set;
  set.items = 3;
  set.questions = {{"q1", "What is blue?", context, {{"sea", 4}, {"the sea", 0}}, false},
                   {"q2", "What is green?", context, {}, true},
                   {"q3", "How is it?", context, {{"blue", 11}}, false}};
  std::vector<TaskExample> examples = {window(0, {}), window(1, {}), window(2, {})};
  for (TaskExample& example : examples) example.offsets = {{0, 0}, {0, 3}, {4, 7}, {8, 10}, {11, 15}};
  set.examples = std::make_shared<const std::vector<TaskExample>>(examples);
  const auto span = [](size_t start, size_t end) {
    TaskOutputs logits(10);
    logits[2 * start] = 5;
    logits[2 * end + 1] = 5;
    return logits;
  };
  const std::vector<TaskOutputs> outputs = {span(2, 4), span(4, 4), span(0, 0)};
  const TaskAnalysis analysis = analyze_task(task, {"dev.json", SquadFile()}, set, outputs);
  EXPECT_EQ(kinds_of(analysis),
            (std::vector<std::string>{"answered without an answer", "not answered", "partly right"}));
  const auto partly = std::ranges::find(analysis.mistakes, "partly right", &Mistake::kind);
  EXPECT_EQ(partly->where, "q1");
  EXPECT_EQ(partly->pair, "What is blue?");
  EXPECT_EQ(partly->gold, "sea | the sea");
  EXPECT_EQ(partly->predicted, "sea is blue");
  EXPECT_EQ(partly->gold_place, (CodePoints{4, 7}));
  EXPECT_EQ(partly->predicted_place, (CodePoints{4, 15}));
  EXPECT_NEAR(*partly->f1, 0.5, 1e-12);
  EXPECT_EQ(cell(analysis, "an answer", "an answer"), 1);
  EXPECT_EQ(cell(analysis, "an answer", ""), 1);
  EXPECT_EQ(cell(analysis, "", "an answer"), 1);
}

TEST_F(TaskAnalysisTest, OfNumbersTheLargestDifferencesCount) {
  TaskDescription task;
  task.task = Task::kRegression;
  task.columns.text = "text";
  TaskSet set;
  set.items = 2;
  set.scores = {1, 2};
  set.examples = windows(2);
  const TaskAnalysis analysis = analyze_task(task, file("dev.tsv", "text\tscore\na\t1\nb\t2\n", task.task), set,
                                             std::vector<TaskOutputs>{{1.5f}, {5}});
  ASSERT_EQ(analysis.mistakes.size(), 2u);
  EXPECT_EQ(analysis.mistakes[0].predicted, "5");
  EXPECT_EQ(analysis.mistakes[0].score, 3);
}

TEST_F(TaskAnalysisTest, SetsOfLabelsAreWrongAsAWhole) {
  TaskDescription task;
  task.task = Task::kMultiLabel;
  task.labels = {"a", "b"};
  task.columns.text = "text";
  TaskSet set;
  set.items = 2;
  set.targets = {1, 0, 0, 1};
  set.examples = windows(2);
  const TaskAnalysis analysis = analyze_task(task, file("dev.tsv", "text\tlabel\nx\ta\ny\tb\n", task.task), set,
                                             std::vector<TaskOutputs>{{4, 2}, {-1, 1}});
  ASSERT_EQ(analysis.mistakes.size(), 1u);
  EXPECT_EQ(analysis.mistakes[0].gold, "a");
  EXPECT_EQ(analysis.mistakes[0].predicted, "a, b");
  EXPECT_NEAR(analysis.mistakes[0].score, 1 / (1 + std::exp(-2.0)), 1e-9);
  EXPECT_TRUE(analysis.confusion.empty());
}

TEST(AnalysisFile, ReadsBackWhatItWrites) {
  TaskAnalysis analysis;
  analysis.items = 3;
  analysis.tables = {{"label", {{"</script>", {2, 1, 1}}}}};
  analysis.labels = {"</script>", ""};
  analysis.confusion = {{0, 1, 2}};
  analysis.kinds = {{"missed", 2}};
  analysis.mistakes_found = 7;
  Mistake mistake{"line 1", "missed", "a text", "a pair", "g", "p", CodePoints{1, 2}, std::nullopt, 0.25, 0.5};
  analysis.mistakes = {mistake};
  const std::string json = to_json(TaskAnalyses{{"validation", analysis}, {"test", {}}});
  const TaskAnalyses again = parse_analyses(json, "file");
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].second.mistakes[0].gold_place, (CodePoints{1, 2}));
  EXPECT_FALSE(again[0].second.mistakes[0].predicted_place);
  EXPECT_EQ(to_json(again), json);
}

TEST(AnalysisFile, RefusesWhatItDoesNotWrite) {
  const auto message = [](const std::string& json) {
    return message_of<DamagedFileError>([&] { parse_analyses(json, "file"); });
  };
  const std::string whole = to_json(TaskAnalyses{{"test", {}}});
  for (const std::string& json : {std::string("[1]"), std::string("{"), std::string("{\"test\":3}")}) {
    EXPECT_EQ(message(json), "file: is not what fine-tuning writes") << json;
  }
  std::string wrong = whole;
  wrong.replace(wrong.find("\"confusion\": []"), 15, "\"confusion\": [[0,0,1]]");
  EXPECT_EQ(message(wrong), "file: a cell of 'test' names a label that is not there");
}

TEST(Excerpt, ShowsWhatMatters) {
  const std::string text = "0123456789ä123456789ö123456789";
  EXPECT_EQ(excerpt(text, {}, {}, 100).text, text);
  EXPECT_EQ(excerpt(text, {}, {}, 12).text, "0123456789ä1...");
  const Excerpt middle = excerpt(text, CodePoints{20, 21}, CodePoints{18, 20}, 7);
  EXPECT_EQ(middle.text, "...6789ö12...");
  EXPECT_EQ(middle.gold, (CodePoints{7, 8}));
  EXPECT_EQ(middle.predicted, (CodePoints{5, 7}));
  const Excerpt far = excerpt(text, CodePoints{0, 1}, CodePoints{28, 30}, 10);
  EXPECT_TRUE(far.gold);
  EXPECT_FALSE(far.predicted) << "no room for both";
  const Excerpt all = excerpt(text, CodePoints{29, 30}, std::nullopt, 5);
  EXPECT_EQ(all.text, "...56789");
  EXPECT_EQ(all.gold, (CodePoints{7, 8}));
}

}  // namespace
}  // namespace bertha
