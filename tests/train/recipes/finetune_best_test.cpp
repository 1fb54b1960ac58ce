#include <algorithm>

#include "tests/train/recipes/small_tables.h"
#include "train/recipes/finetune.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

class FinetuneBest : public SmallTables {
 protected:
  FinetuneResult run(const std::vector<std::string>& overrides) {
    SelfCommunicator self;
    notes_.clear();
    return finetune(config(overrides), self, listening());
  }
  bool was_said(const std::string& sentence) const { return notes_.find(sentence) != std::string::npos; }
};

TEST_F(FinetuneBest, AddedToAFinishedRunValidationScoresTheLastModel) {
  run({});
  const FinetuneResult result = run({validated()});
  EXPECT_EQ(result.outcome, Trainer::Outcome::kFinished);
  EXPECT_FALSE(result.validation.empty());
  EXPECT_TRUE(was_said("the last model takes its place")) << notes_;
}

TEST_F(FinetuneBest, SaysOfWhichStepItIsAndIsTakenForNoOther) {
  run({validated()});
  const std::string path = folder_ / "run/best/step.txt";
  ASSERT_TRUE(fs::exists(path));
  EXPECT_FALSE(was_said("the last model")) << notes_;
  EXPECT_FALSE(fs::exists(folder_ / "run/model/step.txt"));
  run({validated()});
  EXPECT_TRUE(was_said("best at step")) << notes_;
  std::ofstream(path) << "7\n";  // as a stretch leaves it that was given up
  run({validated()});
  EXPECT_TRUE(was_said("the last model takes its place")) << notes_;
  EXPECT_FALSE(was_said("best at step")) << notes_;
}

TEST_F(FinetuneBest, AnotherValidationFileIsAnotherRun) {
  run({validated()});
  write("dev.tsv", "hill", "sea", 4);
  try {
    run({validated()});
    FAIL() << "went on";
  } catch (const MismatchError& error) {
    EXPECT_NE(std::string(error.what()).find("belongs to other validation data"), std::string::npos) << error.what();
  }
}

TEST_F(FinetuneBest, ScoresAreNotAccuracies) {
  std::ofstream(folder_ / "train.tsv") << "text\tlabel\nthe fox\t0.5\nthe sea\t2\n";
  run({"task=regression"});
  std::ifstream file(folder_ / "run/metrics.jsonl");
  const std::string lines(std::istreambuf_iterator<char>(file), {});
  EXPECT_NE(lines.find("score_loss"), std::string::npos);
  EXPECT_EQ(lines.find("score_accuracy"), std::string::npos) << lines;
}

// Questions without a label, and intents of later windows, pass through the losses.
TEST_F(FinetuneBest, LongSentencesTrainIntentsAndSlots) {
  std::ofstream(folder_ / "train.tsv") << "tokens\tslots\tintent\n"
                                          "the fox by the sea by the hill by the sea\tO O O O O O O O O O B-x\tlook\n"
                                          "the fox by the sea by the hill by the sea\tO O O O O O O O O O B-x\ttake\n";
  const FinetuneResult result = run({"task=intent_and_slots", "data.sequence_length=8",
                                     "data.validation=" + (folder_ / "train.tsv"), "training.steps=60"});
  const auto f1 = std::ranges::find(result.validation, "slot_f1", &std::pair<std::string, double>::first);
  ASSERT_NE(f1, result.validation.end());
  EXPECT_EQ(f1->second, 1) << "of words past the first window";
}

TEST_F(FinetuneBest, QuestionsWithoutALabelAreScoredOnly) {
  const std::string path = folder_ / "train.json";
  std::ofstream(path) << R"({"data": [{"paragraphs": [{"context": "the fox by the sea", "qas": [
      {"id": "1", "question": "by", "answers": [{"text": "lamp", "answer_start": 4}]},
      {"id": "2", "question": "the", "answers": [{"text": "boat", "answer_start": 4}]}]}]}]})";
  run({"task=question_answering", "data.train=" + path, "data.stride=2"});
  std::ifstream file(folder_ / "run/metrics.jsonl");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(nlohmann::json::parse(line)["loss"], 0) << "of no label: " << line;

  const std::string teacher = folder_ / "run/model";
  run({"task=question_answering", "data.train=" + path, "data.stride=2", "model.initialize_from=" + teacher,
       "model.keep_layers=[0]", "distillation.teacher=" + teacher, "output=" + (folder_ / "student")});
  std::ifstream taught(folder_ / "student/metrics.jsonl");
  std::getline(taught, line);
  EXPECT_GT(nlohmann::json::parse(line)["teacher_loss"], 0) << "a teacher has something to say of them: " << line;
}

}  // namespace
}  // namespace bertha
