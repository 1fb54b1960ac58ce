#include "train/recipes/task_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "data/checksum.h"
#include "data/ordered_pipeline.h"
#include "data/tasks/example_encoder.h"
#include "data/utf8.h"

namespace bertha {
namespace {

// Numbers of labels by name.
class LabelNumbers {
 public:
  explicit LabelNumbers(std::span<const std::string> labels) {
    for (size_t i = 0; i < labels.size(); ++i) numbers_[labels[i]] = static_cast<int32_t>(i);
  }

  int32_t at(const std::string& label, const std::string& path, int64_t line) const {
    auto found = numbers_.find(label);
    if (found == numbers_.end()) found = numbers_.find(unnamed_label(label));
    if (found != numbers_.end()) return found->second;
    std::string known;
    for (const auto& [name, number] : numbers_) {
      if (known.size() > 200) {
        known += ", ...";
        break;
      }
      known += (known.empty() ? "" : ", ") + name;
    }
    fail<DamagedFileError>(path, ":", line, ": label '", label, "' is unknown (the model has ", known, ")");
  }

 private:
  std::map<std::string, int32_t> numbers_;
};

double number_at(const Table& table, size_t row, size_t column) {
  const std::string& text = table.at(row, column);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool is_float = error == std::errc{} && stop == end && std::isfinite(static_cast<float>(value));
  check<DamagedFileError>(is_float, table.path(), ":", table.line(row), ": '", text, "' in column '",
                          table.columns()[column], "' is not a number");
  return value;
}

class SetEncoder {
 public:
  SetEncoder(const TaskFile& file, const TaskDescription& description, const Tokenizer& tokenizer)
      : file_(file),
        description_(description),
        encoder_(tokenizer, description.sequence_length, description.stride),
        labels_(description.labels) {}

  TaskSet encode() {
    switch (description_.task) {
      case Task::kQuestionAnswering:
        questions();
        break;
      case Task::kTokenClassification:
        sentences();
        break;
      case Task::kIntentAndSlots:
        sentences();
        intents();
        break;
      default:
        table();
        break;
    }
    set_.hash = hash();
    set_.examples = std::make_shared<const std::vector<TaskExample>>(std::move(examples_));
    return std::move(set_);
  }

 private:
  // Calls f(item) for every item on all threads, and lays their examples one after another.
  template <class F>
  void encode_items(int64_t items, F&& f) {
    ordered_pipeline<std::vector<TaskExample>>(
        items, num_threads(), [](int64_t, std::vector<TaskExample>&) {},
        [&](int64_t item, std::vector<TaskExample>& examples) { examples = f(item); },
        [&](int64_t item, std::vector<TaskExample>& examples) {
          for (TaskExample& example : examples) {
            example.item = item;
            examples_.push_back(std::move(example));
          }
        });
    set_.items = items;
  }

  void table() {
    const Table& rows = std::get<Table>(file_.content);
    const TaskColumns& columns = description_.columns;
    const size_t text = rows.column(columns.text);
    const std::optional<size_t> pair = columns.pair.empty() ? std::nullopt : std::optional(rows.column(columns.pair));
    std::vector<size_t> choices;
    check<ConfigError>(description_.task != Task::kMultipleChoice || !columns.choices.empty(),
                       "--choice-columns: is needed (the model remembers none)");
    for (const std::string& choice : columns.choices) choices.push_back(rows.column(choice));
    const size_t label = rows.column(columns.label);
    encode_items(static_cast<int64_t>(rows.rows()), [&](int64_t item) {
      const auto row = static_cast<size_t>(item);
      std::vector<TaskExample> examples(1);
      if (choices.empty()) {
        examples[0] = encoder_.text(rows.at(row, text),
                                    pair ? std::optional<std::string_view>(rows.at(row, *pair)) : std::nullopt);
      } else {
        std::vector<std::string> texts;
        for (const size_t choice : choices) texts.push_back(rows.at(row, choice));
        examples[0] = encoder_.choices(rows.at(row, text), texts);
      }
      set_label(examples[0], rows, row, label);
      return examples;
    });
    for (size_t row = 0; row < rows.rows(); ++row) keep_label(examples_[row], rows, row, label);
    note_cut("texts");
  }

  // What the example is scored by.
  void keep_label(const TaskExample& example, const Table& rows, size_t row, size_t column) {
    switch (description_.task) {
      case Task::kRegression:
        set_.scores.push_back(number_at(rows, row, column));
        break;
      case Task::kMultiLabel:
        set_.targets.insert(set_.targets.end(), example.targets.begin(), example.targets.end());
        break;
      default:
        set_.labels.push_back(example.label);
        break;
    }
  }

  void set_label(TaskExample& example, const Table& rows, size_t row, size_t column) const {
    switch (description_.task) {
      case Task::kRegression:
        example.targets = {static_cast<float>(number_at(rows, row, column))};
        break;
      case Task::kMultiLabel:
        example.targets.resize(description_.labels.size());
        for (const std::string& label : labels_of_row(rows, row, description_)) {
          example.targets[static_cast<size_t>(labels_.at(label, file_.path, rows.line(row)))] = 1;
        }
        break;
      case Task::kMultipleChoice:
        example.label = choice_at(rows, row, column);
        break;
      default:
        example.label = labels_.at(rows.at(row, column), file_.path, rows.line(row));
        break;
    }
  }

  // The right choice is given by its number, from 0, or by the name of its column.
  int32_t choice_at(const Table& rows, size_t row, size_t column) const {
    const std::vector<std::string>& choices = description_.columns.choices;
    const std::string& text = rows.at(row, column);
    for (size_t i = 0; i < choices.size(); ++i) {
      if (text == choices[i] || text == std::to_string(i)) return static_cast<int32_t>(i);
    }
    fail<DamagedFileError>(file_.path, ":", rows.line(row), ": '", text, "' is none of the ", choices.size(),
                           " choices (expected 0 to ", choices.size() - 1, " or a column's name)");
  }

  void sentences() {
    set_.sentences = sentences_of(file_, description_);
    const bool has_intents = description_.task == Task::kIntentAndSlots;
    const LabelNumbers tags(has_intents ? description_.slots : description_.labels);
    encode_items(std::ssize(set_.sentences), [&](int64_t item) {
      const TaggedSentence& sentence = set_.sentences[static_cast<size_t>(item)];
      std::vector<TaskExample> windows = encoder_.words(sentence.words);
      for (TaskExample& window : windows) {
        for (const int32_t number : window.words) {
          const auto word = static_cast<size_t>(number);
          window.row_labels.push_back(tags.at(sentence.tags[word], file_.path, sentence.line_of(word)));
        }
      }
      return windows;
    });
    note_lost_words();
  }

  void note_lost_words() {
    int64_t words = 0, labelled = 0;
    for (const TaggedSentence& sentence : set_.sentences) words += std::ssize(sentence.words);
    for (const TaskExample& example : examples_) labelled += std::ssize(example.rows);
    if (labelled < words) {
      set_.notes.push_back(
          fmt::format("{}: {} of {} words have no token (too long a sentence, or nothing that can be "
                      "seen); they are neither trained on nor predicted",
                      file_.path, words - labelled, words));
    }
  }

  void intents() {
    const Table& rows = std::get<Table>(file_.content);
    const size_t column = rows.column(description_.columns.intent);
    int64_t before = -1;
    for (TaskExample& example : examples_) {
      // What a sentence means is asked of its first window only.
      if (std::exchange(before, example.item) == example.item) continue;
      const auto row = static_cast<size_t>(example.item);
      example.label = labels_.at(rows.at(row, column), file_.path, rows.line(row));
      set_.labels.push_back(example.label);
    }
  }

  void questions() {
    const SquadFile& squad = std::get<SquadFile>(file_.content);
    set_.questions = squad.questions;
    encode_items(std::ssize(set_.questions), [&](int64_t item) {
      const Question& question = set_.questions[static_cast<size_t>(item)];
      std::vector<TaskExample> windows = encoder_.question(question.question, *question.context);
      const std::optional<CodePoints> place = place_of_answer(question);
      if (question.impossible || place) {
        for (TaskExample& window : windows) set_answer(window, place.value_or(CodePoints{-1, -1}));
      }
      return windows;
    });
    note_cut("questions");
    if (squad.misplaced > 0) {
      std::string ids;
      for (const std::string& id : squad.first_problems) ids += (ids.empty() ? "" : ", ") + id;
      set_.notes.push_back(
          fmt::format("{}: {} answers are not where the file says; {} of them stand elsewhere in the "
                      "context and are taken there, the others count for scores only ({}{})",
                      file_.path, squad.misplaced, squad.relocated, ids,
                      squad.misplaced > std::ssize(squad.first_problems) ? ", ..." : ""));
    }
  }

  // Of the first answer that is in the context.
  static std::optional<CodePoints> place_of_answer(const Question& question) {
    for (const Answer& answer : question.answers) {
      if (answer.start < 0) continue;
      const auto begin = static_cast<int32_t>(answer.start);
      return CodePoints{begin, begin + static_cast<int32_t>(count_code_points(answer.text))};
    }
    return std::nullopt;
  }

  void note_cut(const char* what) {
    const auto cut = std::ranges::count_if(examples_, &TaskExample::is_cut);
    if (cut > 0) {
      set_.notes.push_back(fmt::format("{}: {} of {} {} were cut to fit into {} tokens", file_.path, cut, set_.items,
                                       what, description_.sequence_length));
    }
  }

  uint64_t hash() const {
    Checksum checksum;
    for (const TaskExample& example : examples_) {
      for (const TaskSequence& sequence : example.sequences) {
        const std::array<int64_t, 2> sizes = {std::ssize(sequence.ids), sequence.second_begin};
        checksum.update(std::span<const int64_t>(sizes));
        checksum.update(std::span<const int32_t>(sequence.ids));
      }
      const std::array<int32_t, 3> numbers = {example.label, example.start, example.end};
      checksum.update(std::span<const int32_t>(numbers));
      checksum.update(std::span<const int32_t>(example.rows));
      checksum.update(std::span<const int32_t>(example.row_labels));
      checksum.update(std::span<const float>(example.targets));
    }
    const auto add = [&](const std::string& text) {
      const std::array<int64_t, 1> size = {std::ssize(text)};
      checksum.update(std::span<const int64_t>(size));
      checksum.update(std::span<const char>(text));
    };
    for (const TaggedSentence& sentence : set_.sentences) {
      for (const std::string& tag : sentence.tags) add(tag);
    }
    for (const Question& question : set_.questions) {
      for (const Answer& answer : question.answers) add(answer.text);
    }
    checksum.update(std::span<const double>(set_.scores));
    return checksum.value();
  }

  const TaskFile& file_;
  const TaskDescription& description_;
  ExampleEncoder encoder_;
  LabelNumbers labels_;
  TaskSet set_;
  std::vector<TaskExample> examples_;
};

}  // namespace

TaskSet encode_task_file(const TaskFile& file, const TaskDescription& description, const Tokenizer& tokenizer) {
  return SetEncoder(file, description, tokenizer).encode();
}

}  // namespace bertha
