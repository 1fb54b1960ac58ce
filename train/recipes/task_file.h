#pragma once

#include <string>
#include <variant>
#include <vector>

#include "data/tasks/conll.h"
#include "data/tasks/squad.h"
#include "data/tasks/table.h"
#include "train/task.h"

namespace bertha {

/// A file of a task's examples as it was read: a table; tagged sentences in columns; or questions.
struct TaskFile {
  std::string path;
  std::variant<Table, std::vector<TaggedSentence>, SquadFile> content;
};

/// Throws as the readers do: ConfigError for a file that cannot be read, DamagedFileError with file and line.
TaskFile read_task_file(const std::string& path, Task task);

/// Sets the labels of `description` to those that occur in the file, numbers in their order, others by their letters,
/// and whether questions may have no answer.
void learn_labels(const TaskFile& file, TaskDescription& description);

/// What a model that was given no names calls a label.
std::string unnamed_label(const std::string& label);

/// The labels of a row of several.
std::vector<std::string> labels_of_row(const Table& table, size_t row, const TaskDescription& description);

/// The sentences of a tagging task.
std::vector<TaggedSentence> sentences_of(const TaskFile& file, const TaskDescription& description);

}  // namespace bertha
