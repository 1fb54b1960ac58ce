#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/tasks/example.h"
#include "data/tokenizer.h"
#include "train/recipes/task_file.h"
#include "train/task.h"

namespace bertha {

/// A file's examples, encoded, and by item (row, sentence, question) what is right.
struct TaskSet {
  std::shared_ptr<const std::vector<TaskExample>> examples;  // a long text makes several
  int64_t items = 0;
  std::vector<int32_t> labels;            // classes, intents, places of right choices
  std::vector<float> targets;             // (items, labels) of several: 0 and 1
  std::vector<double> scores;             // of regression
  std::vector<TaggedSentence> sentences;  // of tagging tasks
  std::vector<Question> questions;        // of question answering
  uint64_t hash = 0;                      // of all that is trained on and scored by
  std::vector<std::string> notes;         // sentences about what could not be used as it is
};

/// Throws DamagedFileError naming file and line for a label that `description` does not have, a score that is no number
/// or a choice that is not there; ConfigError for a missing column, and where nobody knows the choices' columns.
TaskSet encode_task_file(const TaskFile& file, const TaskDescription& description, const Tokenizer& tokenizer);

}  // namespace bertha
