#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/bert_config.h"

namespace bertha {

/// What a model is trained, evaluated or asked for.
enum class Task {
  kMlm,
  kMlmNsp,
  kFillMask,
  kNextSentence,
  kSequenceClassification,
  kMultiLabel,
  kRegression,
  kTokenClassification,
  kIntentAndSlots,
  kQuestionAnswering,
  kMultipleChoice,
  kEmbedding,
  kSimilarity,
};

/// As configurations, options and model directories call it.
std::string_view task_name(Task task);
/// Throws ConfigError for a name that there is none of, saying those there are.
Task task_of(std::string_view name);
std::span<const Task> all_tasks();
/// Those that `bertha finetune` trains.
std::span<const Task> finetuning_tasks();

/// The head that a model trained for the task has.
Head head_of(Task task);

/// Whether a model with one head can do what another head is for; kNone asks for nothing.
constexpr bool has_head(Head head, Head wanted) {
  const bool one_of_both = wanted == Head::kMlm || wanted == Head::kNextSentence;
  return wanted == head || wanted == Head::kNone || (one_of_both && head == Head::kMlmAndNextSentence);
}

/// Which columns of a table of examples mean what. Those that a task has no use for are empty.
struct TaskColumns {
  std::string text, pair, label;
  std::vector<std::string> choices;
  std::string intent, slots;

  bool operator==(const TaskColumns&) const = default;
};

/// Tokens that two windows of a long context share where nobody says how many.
constexpr int64_t usual_stride(int64_t sequence_length) {
  return std::min<int64_t>(128, sequence_length / 4);
}

/// Gives columns that are not named the names that are usual for the task.
void fill_usual_columns(Task task, TaskColumns& columns);

/// What a model directory remembers of the task it was fine-tuned for.
struct TaskDescription {
  Task task = Task::kMlm;
  std::vector<std::string> labels;  // by number: classes, tags, or intents
  std::vector<std::string> slots;   // by number, of intent_and_slots
  TaskColumns columns;
  int64_t sequence_length = 0;  // tokens, special ones included; 0: as many as the model has positions
  int64_t stride = 0;           // tokens that two windows of a long context share
  bool unanswerable = false;    // questions may have no answer
};

}  // namespace bertha
