#include "train/recipes/task_file.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "autograd/core/error.h"

namespace bertha {
namespace {

bool is_table(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path.ends_with(".tsv") || path.ends_with(".csv") || path.ends_with(".jsonl");
}

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::vector<std::string> in_order(const std::set<std::string>& labels) {
  std::vector<std::string> sorted(labels.begin(), labels.end());
  if (std::ranges::all_of(sorted, [](const std::string& label) { return whole_number(label).has_value(); })) {
    std::ranges::sort(sorted, {}, [](const std::string& label) { return *whole_number(label); });
  }
  return sorted;
}

std::set<std::string> column_values(const Table& table, const std::string& name) {
  const size_t column = table.column(name);
  std::set<std::string> values;
  for (size_t row = 0; row < table.rows(); ++row) values.insert(table.at(row, column));
  return values;
}

std::vector<std::string> tags_of(std::span<const TaggedSentence> sentences) {
  std::set<std::string> tags;
  for (const TaggedSentence& sentence : sentences) tags.insert(sentence.tags.begin(), sentence.tags.end());
  return in_order(tags);
}

std::vector<std::string> labels_of_several(const Table& table, const TaskDescription& description) {
  std::set<std::string> labels;
  for (size_t row = 0; row < table.rows(); ++row)
    labels.merge([&] {
      const std::vector<std::string> some = labels_of_row(table, row, description);
      return std::set<std::string>(some.begin(), some.end());
    }());
  return in_order(labels);
}

}  // namespace

TaskFile read_task_file(const std::string& path, Task task) {
  if (task == Task::kQuestionAnswering) return {path, read_squad(path)};
  if (task == Task::kTokenClassification && !is_table(path)) return {path, read_conll(path)};
  return {path, Table::read(path)};
}

std::string unnamed_label(const std::string& label) {
  return "LABEL_" + label;
}

std::vector<std::string> labels_of_row(const Table& table, size_t row, const TaskDescription& description) {
  return table.list(row, table.column(description.columns.label));
}

std::vector<TaggedSentence> sentences_of(const TaskFile& file, const TaskDescription& description) {
  if (const auto* sentences = std::get_if<std::vector<TaggedSentence>>(&file.content)) return *sentences;
  const TaskColumns& columns = description.columns;
  const bool has_intents = description.task == Task::kIntentAndSlots;
  return tagged_sentences(std::get<Table>(file.content), columns.text, has_intents ? columns.slots : columns.label);
}

void learn_labels(const TaskFile& file, TaskDescription& description) {
  const TaskColumns& columns = description.columns;
  switch (description.task) {
    case Task::kSequenceClassification:
      description.labels = in_order(column_values(std::get<Table>(file.content), columns.label));
      check<ConfigError>(description.labels.size() > 1, file.path, ": holds the one label '",
                         description.labels.front(), "' only (expected two or more to tell apart)");
      break;
    case Task::kMultiLabel:
      description.labels = labels_of_several(std::get<Table>(file.content), description);
      break;
    case Task::kRegression:
      description.labels = {columns.label};
      break;
    case Task::kTokenClassification:
      description.labels = tags_of(sentences_of(file, description));
      break;
    case Task::kIntentAndSlots:
      description.labels = in_order(column_values(std::get<Table>(file.content), columns.intent));
      description.slots = tags_of(sentences_of(file, description));
      break;
    case Task::kQuestionAnswering:
      description.unanswerable =
          std::ranges::any_of(std::get<SquadFile>(file.content).questions, &Question::impossible);
      break;
    default:
      break;
  }
}

}  // namespace bertha
