#include "train/recipes/task_set.h"

#include <gtest/gtest.h>

#include <fstream>

#include "autograd/core/error.h"
#include "data/wordpiece.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"

namespace bertha {
namespace {

using Ids = std::vector<int32_t>;

class TaskSetTest : public ::testing::Test {
 protected:
  // Letters are words, and nothing continues them.
  static WordPiece letters() {
    std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (char c = 'a'; c <= 'z'; ++c) tokens.push_back(std::string(1, c));
    return WordPiece(Vocabulary(tokens, "letters"), true);
  }

  static TaskDescription description(Task task) {
    TaskDescription d;
    d.task = task;
    d.sequence_length = 8;
    fill_usual_columns(task, d.columns);
    return d;
  }

  TaskSet encode(const std::string& name, const std::string& content, const TaskDescription& task) const {
    std::ofstream(folder_ / name) << content;
    return encode_task_file(read_task_file(folder_ / name, task.task), task, tokenizer_);
  }

  static std::string squad(const std::string& qas) {
    return R"({"data": [{"paragraphs": [{"context": "a b c d e f g h", "qas": [)" + qas + "]}]}]}";
  }

  WordPiece tokenizer_ = letters();
  TemporaryDirectory folder_;
};

TEST_F(TaskSetTest, AnAnswerThatIsNowhereIsNoLabelAndNoAnswerIsOne) {
  const TaskSet set =
      encode("a.json", squad(R"({"id": "1", "question": "x", "answers": [{"text": "z", "answer_start": 2}]},
                                      {"id": "2", "question": "x", "answers": []},
                                      {"id": "3", "question": "x", "answers": [{"text": "b", "answer_start": 2}]})"),
             description(Task::kQuestionAnswering));
  bool is_found = false;
  for (const TaskExample& window : *set.examples) {
    const std::vector<int32_t> least = {-1, 0, 0};
    EXPECT_GE(window.start, least[static_cast<size_t>(window.item)]);
    EXPECT_TRUE(window.item == 2 || window.start < 1);
    EXPECT_EQ(window.start < 0, window.item == 0);
    is_found |= window.item == 2 && window.start > 0;
  }
  EXPECT_TRUE(is_found);
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_NE(set.notes[0].find("1 answers are not where the file says"), std::string::npos) << set.notes[0];
}

TEST_F(TaskSetTest, SlotsOfEveryWindowAreKeptAndTheIntentIsOfTheFirst) {
  TaskDescription task = description(Task::kIntentAndSlots);
  task.labels = {"look", "take"};
  task.slots = {"B-x", "O"};
  const TaskSet set = encode("a.tsv",
                             "tokens\tslots\tintent\n"
                             "a b c d e f g h\tO O O O O O O B-x\ttake\n"
                             "a\tO\tlook\n",
                             task);
  ASSERT_EQ(set.examples->size(), 3u);
  const auto& [first, second, other] = std::tie((*set.examples)[0], (*set.examples)[1], (*set.examples)[2]);
  EXPECT_EQ(first.label, 1);
  EXPECT_EQ(second.label, -1);
  EXPECT_EQ(second.row_labels.back(), 0) << "the slot past the first window";
  EXPECT_EQ(second.item, 0);
  EXPECT_EQ(other.label, 0);
  EXPECT_EQ(set.labels, (Ids{1, 0}));
  EXPECT_TRUE(set.notes.empty()) << set.notes[0];
}

TEST_F(TaskSetTest, AnUnknownTagIsNamedWithItsOwnLine) {
  TaskDescription task = description(Task::kTokenClassification);
  task.labels = {"O"};
  const auto message = message_of<DamagedFileError>([&] { encode("a.conll", "a O\n\nb O\nc O\nd B-x\n", task); });
  EXPECT_NE(message.find("a.conll:5: label 'B-x' is unknown"), std::string::npos) << message;
}

TEST_F(TaskSetTest, ChoicesNeedTheirColumns) {
  const auto message =
      message_of<ConfigError>([&] { encode("a.tsv", "text\tlabel\na\t0\n", description(Task::kMultipleChoice)); });
  EXPECT_EQ(message, "--choice-columns: is needed (the model remembers none)");
}

TEST_F(TaskSetTest, SaysHowManyTextsWereCut) {
  TaskDescription task = description(Task::kSequenceClassification);
  task.labels = {"0", "1"};
  const std::string path = folder_ / "a.tsv";
  EXPECT_EQ(encode("a.tsv", "text\tlabel\na b c d e f g h\t0\na b c d e f\t1\n", task).notes,
            std::vector<std::string>{path + ": 1 of 2 texts were cut to fit into 8 tokens"});
  EXPECT_TRUE(encode("a.tsv", "text\tlabel\na b c d e f\t0\n", task).notes.empty());
  const auto notes = encode("a.json", squad(R"({"id": "1", "question": "x x x x x", "answers": []})"),
                            description(Task::kQuestionAnswering))
                         .notes;
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("1 of 1 questions were cut"), std::string::npos) << notes[0];
}

TEST_F(TaskSetTest, ScoresAreKeptAsTheyAreWritten) {
  TaskDescription task = description(Task::kRegression);
  const TaskSet set = encode("a.tsv", "text\tlabel\na\t3.4\n", task);
  EXPECT_EQ(set.scores, std::vector<double>{3.4});
  EXPECT_EQ((*set.examples)[0].targets, std::vector<float>{3.4f});
}

TEST_F(TaskSetTest, TheHashIsOfLabelsToo) {
  TaskDescription tags = description(Task::kTokenClassification);
  tags.labels = {"O", "X"};
  // The second word has no token, so that only scores know its tag.
  EXPECT_NE(encode("a.conll", "a O\n\x01 O\n", tags).hash, encode("a.conll", "a O\n\x01 X\n", tags).hash);
  const auto asked = [&](const std::string& answer) {
    const std::string answers =
        R"([{"text": "b", "answer_start": 2}, {"text": ")" + answer + R"(", "answer_start": 4}])";
    return encode("a.json", squad(R"({"id": "1", "question": "x", "answers": )" + answers + "}"),
                  description(Task::kQuestionAnswering))
        .hash;
  };
  EXPECT_EQ(asked("c"), asked("c"));
  EXPECT_NE(asked("c"), asked("c d")) << "of which the first is trained on";
}

}  // namespace
}  // namespace bertha
