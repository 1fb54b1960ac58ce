#include "train/task.h"

#include <algorithm>
#include <array>
#include <utility>

#include "autograd/core/error.h"

namespace bertha {
namespace {

struct TaskRow {
  Task task;
  std::string_view name;
  Head head;
};

constexpr std::array kTasks = {
    TaskRow{Task::kMlm, "mlm", Head::kMlm},
    TaskRow{Task::kMlmNsp, "mlm_nsp", Head::kMlmAndNextSentence},
    TaskRow{Task::kFillMask, "fill_mask", Head::kMlm},
    TaskRow{Task::kNextSentence, "next_sentence", Head::kNextSentence},
    TaskRow{Task::kSequenceClassification, "sequence_classification", Head::kSequence},
    TaskRow{Task::kMultiLabel, "multi_label", Head::kSequence},
    TaskRow{Task::kRegression, "regression", Head::kSequence},
    TaskRow{Task::kTokenClassification, "token_classification", Head::kTokens},
    TaskRow{Task::kIntentAndSlots, "intent_and_slots", Head::kIntentAndSlots},
    TaskRow{Task::kQuestionAnswering, "question_answering", Head::kSpans},
    TaskRow{Task::kMultipleChoice, "multiple_choice", Head::kChoice},
    TaskRow{Task::kEmbedding, "embedding", Head::kNone},
    TaskRow{Task::kSimilarity, "similarity", Head::kNone},
};

constexpr auto kAll = [] {
  std::array<Task, kTasks.size()> tasks{};
  std::ranges::transform(kTasks, tasks.begin(), &TaskRow::task);
  return tasks;
}();

constexpr std::array kFinetuning = {Task::kSequenceClassification, Task::kMultiLabel,     Task::kRegression,
                                    Task::kTokenClassification,    Task::kIntentAndSlots, Task::kQuestionAnswering,
                                    Task::kMultipleChoice};

const TaskRow& row_of(Task task) {
  return *std::ranges::find(kTasks, task, &TaskRow::task);
}

}  // namespace

std::string_view task_name(Task task) {
  return row_of(task).name;
}

Task task_of(std::string_view name) {
  const auto found = std::ranges::find(kTasks, name, &TaskRow::name);
  if (found != kTasks.end()) return found->task;
  std::string known;
  for (const TaskRow& row : kTasks) known += (known.empty() ? "" : ", ") + std::string(row.name);
  fail<ConfigError>("task: '", name, "' is unknown (expected one of ", known, ")");
}

std::span<const Task> all_tasks() {
  return kAll;
}
std::span<const Task> finetuning_tasks() {
  return kFinetuning;
}

void fill_usual_columns(Task task, TaskColumns& columns) {
  const auto fill = [](std::string& column, const char* usual) {
    if (column.empty()) column = usual;
  };
  if (task == Task::kQuestionAnswering) return;
  const bool has_words = task == Task::kTokenClassification || task == Task::kIntentAndSlots;
  fill(columns.text, has_words ? "tokens" : "text");
  if (task == Task::kIntentAndSlots) {
    fill(columns.intent, "intent");
    fill(columns.slots, "slots");
  } else {
    fill(columns.label, task == Task::kTokenClassification ? "tags" : "label");
  }
}

Head head_of(Task task) {
  return row_of(task).head;
}

}  // namespace bertha
