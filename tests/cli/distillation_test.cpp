#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "tests/cli/small_finetuning.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A task, how long its examples take to learn, and what then says that a student learnt them from its teacher alone.
struct Lesson {
  Task task;
  int epochs;
  std::string metric;
  double reached;
  std::vector<std::string> parts;  // of the loss: the teacher's
};

void PrintTo(const Lesson& lesson, std::ostream* out) {
  *out << task_name(lesson.task);
}

class Distillation : public SmallFinetuning, public ::testing::WithParamInterface<Lesson> {
 protected:
  std::vector<json> train_lines(const std::string& run) const {
    std::vector<json> lines;
    std::istringstream text(read_file(folder_ / (run + "/metrics.jsonl")));
    for (std::string line; std::getline(text, line);) {
      json object = json::parse(line);
      if (object["phase"] == "train") lines.push_back(std::move(object));
    }
    return lines;
  }
};

// A student of one layer and a new head that labels do not teach.
TEST_P(Distillation, TeachesAStudentWithoutItsLabels) {
  const Lesson& lesson = GetParam();
  write_examples(lesson.task);
  const std::string epochs = "training.epochs=" + std::to_string(lesson.epochs);
  const CommandResult teacher = finetune(epochs + " output=" + (folder_ / "teacher"));
  ASSERT_EQ(teacher.exit_code, 0) << teacher.err;
  const CommandResult student = finetune(epochs + " model.keep_layers='[0]' distillation.weight=1 " +
                                         "distillation.teacher=" + (folder_ / "teacher/model"));
  ASSERT_EQ(student.exit_code, 0) << student.err;
  EXPECT_EQ(json::parse(read_file(folder_ / "run/model/config.json"))["num_hidden_layers"], 1);
  const json scores = results()["validation"];
  EXPECT_GT(scores[lesson.metric].get<double>(), lesson.reached) << scores;
  const std::vector<json> lines = train_lines("run");
  for (const std::string& part : lesson.parts) {
    ASSERT_TRUE(lines.front().contains(part)) << lines.front();
    EXPECT_LT(lines.back()[part].get<double>(), 0.5 * lines.front()[part].get<double>()) << part;
  }
  for (const json& line : lines) {
    double taught = 0;
    for (const std::string& part : lesson.parts) taught += line[part].get<double>();
    EXPECT_NEAR(line["loss"].get<double>(), taught, 1e-9) << "the labels have no weight";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tasks, Distillation,
    ::testing::Values(
        Lesson{Task::kSequenceClassification, 6, "accuracy", 0.9, {"teacher_loss"}},
        Lesson{Task::kMultiLabel, 50, "micro_f1", 0.8, {"teacher_loss"}},
        Lesson{Task::kRegression, 20, "pearson", 0.7, {"teacher_loss"}},
        Lesson{Task::kTokenClassification, 15, "f1", 0.9, {"teacher_loss"}},
        Lesson{Task::kIntentAndSlots, 12, "joint_accuracy", 0.9, {"teacher_intent_loss", "teacher_slot_loss"}},
        Lesson{Task::kQuestionAnswering, 12, "exact_match", 80, {"teacher_loss"}},
        Lesson{Task::kMultipleChoice, 12, "accuracy", 0.9, {"teacher_loss"}}),
    [](const auto& test) { return std::string(task_name(test.param.task)); });

class DistillationTeacher : public SmallFinetuning {};

TEST_F(DistillationTeacher, OfAnotherTaskIsRefusedThoughItsLabelsAreTheSame) {
  write_classification();
  ASSERT_EQ(finetune("task=multi_label training.epochs=1 output=" + (folder_ / "teacher")).exit_code, 0);
  const CommandResult result = finetune("distillation.teacher=" + (folder_ / "teacher/model"));
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_NE(result.err.find("was fine-tuned for another task"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(folder_ / "run/model"));
}

}  // namespace
}  // namespace bertha
