#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/predictor_kinds.h"
#include "data/batches.h"
#include "data/tasks/example_encoder.h"
#include "data/tasks/text_words.h"
#include "train/model_directory.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_predictions.h"
#include "train/scores/entity_scores.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;
using Answers = std::vector<ordered_json>;

// A fine-tuned model with what it remembers of its task.
class TaskPredictor : public JsonPredictor<ordered_json> {
 public:
  TaskPredictor(const PredictOptions& options, const ModelDescription& description)
      : description_(description),
        model_(read_task_model(options.model, description)),
        tokenizer_(read_tokenizer(options.model, description.config)),
        encoder_(*tokenizer_, description.task.sequence_length, description.task.stride) {}

  std::string note() const override { return cut_.note(task().sequence_length); }

 protected:
  const TaskDescription& task() const { return description_.task; }
  const ExampleEncoder& encoder() const { return encoder_; }
  void count_if_cut(const TaskExample& example) { cut_.add(example.is_cut); }

  std::vector<TaskOutputs> outputs(std::vector<TaskExample> examples) const {
    const EvaluationBatches batches(
        example_source(std::make_shared<const std::vector<TaskExample>>(std::move(examples))), kInferenceBatchSize);
    std::vector<TaskOutputs> all;
    for (int64_t slice = 0; slice < batches.slices(); ++slice) {
      std::ranges::move(task_outputs(*model_, batches.at(slice)), std::back_inserter(all));
    }
    return all;
  }

  ordered_json named(std::span<const double> scores) const {
    ordered_json object = ordered_json::object();
    for (size_t i = 0; i < scores.size(); ++i) object[task().labels[i]] = scores[i];
    return object;
  }

 private:
  ModelDescription description_;
  std::unique_ptr<BertForTask> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  ExampleEncoder encoder_;
  CutTexts cut_;
};

class SequencePredictor : public TaskPredictor {
 public:
  using TaskPredictor::TaskPredictor;

  void add(const PredictInput& input) override {
    check_number_of_texts(input);
    examples_.push_back(encoder().text(input[0], pair_of(input)));
    count_if_cut(examples_.back());
  }

  Answers answer_all() override {
    Answers answers;
    for (const TaskOutputs& logits : outputs(std::exchange(examples_, {}))) answers.push_back(answer(logits));
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    if (task().task == Task::kRegression) return fmt::format("{:.4f}\n", answer["score"].get<double>());
    if (task().task == Task::kMultiLabel) {
      std::string text;
      for (const ordered_json& label : answer["labels"]) {
        text += fmt::format("{} {:.4f}\n", label["label"].get<std::string>(), label["score"].get<double>());
      }
      return text.empty() ? "none\n" : text;
    }
    return fmt::format("{} {:.4f}\n", answer["label"].get<std::string>(), answer["score"].get<double>());
  }

 private:
  // A model that remembers no columns may have been trained on either.
  void check_number_of_texts(const PredictInput& input) const {
    const TaskColumns& columns = task().columns;
    if (columns.text.empty()) {
      check_texts(input, {1, 2}, "the model needs one text, or a pair");
    } else if (columns.pair.empty()) {
      check_texts(input, {1, 1}, "the model was trained on single texts");
    } else {
      check_texts(input, {2, 2}, "the model was trained on pairs");
    }
  }
  ordered_json answer(const TaskOutputs& logits) const {
    if (task().task == Task::kRegression) return {{"score", logits[0]}};
    if (task().task == Task::kMultiLabel) {
      const std::vector<double> scores = predict_labels(logits);
      ordered_json labels = ordered_json::array();
      for (size_t i = 0; i < scores.size(); ++i) {
        if (scores[i] > 0.5) labels.push_back({{"label", task().labels[i]}, {"score", scores[i]}});
      }
      return {{"labels", labels}, {"scores", named(scores)}};
    }
    const PredictedLabel best = predict_label(logits);
    return {{"label", task().labels[static_cast<size_t>(best.label)]},
            {"score", best.score},
            {"scores", named(best.scores)}};
  }

  std::vector<TaskExample> examples_;
};

class ChoicePredictor : public TaskPredictor {
 public:
  using TaskPredictor::TaskPredictor;

  void add(const PredictInput& input) override {
    constexpr TextCount kAny = {3, std::numeric_limits<size_t>::max()};
    check_texts(input, kAny, "multiple_choice needs a text and two choices or more");
    examples_.push_back(encoder().choices(input[0], std::span(input).subspan(1)));
    count_if_cut(examples_.back());
    inputs_.push_back(input);
  }

  Answers answer_all() override {
    Answers answers;
    const std::vector<TaskOutputs> logits = outputs(std::exchange(examples_, {}));
    const std::vector<PredictInput> inputs = std::exchange(inputs_, {});
    for (size_t i = 0; i < logits.size(); ++i) {
      const PredictedLabel best = predict_label(logits[i]);
      answers.push_back({{"choice", best.label},
                         {"text", inputs[i][static_cast<size_t>(best.label) + 1]},
                         {"score", best.score},
                         {"scores", best.scores}});
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    return fmt::format("{} {:.4f} {}\n", answer["choice"].get<int>(), answer["score"].get<double>(),
                       answer["text"].get<std::string>());
  }

 private:
  std::vector<TaskExample> examples_;
  std::vector<PredictInput> inputs_;
};

// Tags of words as spans of the text, with the intent where the model has intents.
class TagPredictor : public TaskPredictor {
 public:
  using TaskPredictor::TaskPredictor;

  void add(const PredictInput& input) override {
    check_texts(input, {1, 1}, "tags are given to one text");
    std::vector<TextWord> words = words_of(input[0], Casing::kCased);
    std::vector<std::string> texts;
    for (const TextWord& word : words) texts.push_back(word.word);
    for (TaskExample& window : encoder().words(texts)) {
      window.item = std::ssize(tagged_);
      windows_.push_back(std::move(window));
    }
    tagged_.emplace_back(input[0], std::move(words));
  }

  Answers answer_all() override {
    const std::vector<TaskOutputs> logits = outputs(windows_);
    for (size_t i = 0; i < windows_.size(); ++i) {
      add_window(windows_[i], logits[i], tagged_[static_cast<size_t>(windows_[i].item)]);
    }
    windows_.clear();
    Answers answers;
    for (const Tagged& text : std::exchange(tagged_, {})) answers.push_back(answer(text));
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    std::string text;
    if (has_intents()) {
      text = fmt::format("{} {:.4f}\n", answer["intent"].get<std::string>(), answer["score"].get<double>());
    }
    for (const ordered_json& span : has_intents() ? answer["slots"] : answer) {
      text += fmt::format("{:<16} {:>5} {:>5} {:.4f} {}\n", span["entity"].get<std::string>(), span["start"].get<int>(),
                          span["end"].get<int>(), span["score"].get<double>(), span["text"].get<std::string>());
    }
    return text + "\n";
  }

 private:
  struct Tagged {
    Tagged(std::string whole, std::vector<TextWord> its_words)
        : text(std::move(whole)), words(std::move(its_words)), tags(words.size(), "O"), scores(words.size(), 1) {}
    std::string text;
    std::vector<TextWord> words;
    std::vector<std::string> tags;
    std::vector<double> scores;
    std::optional<PredictedLabel> intent;
  };

  bool has_intents() const { return task().task == Task::kIntentAndSlots; }
  const std::vector<std::string>& tag_names() const { return has_intents() ? task().slots : task().labels; }

  // What a text means is asked of its first window.
  void add_window(const TaskExample& window, std::span<const float> logits, Tagged& text) const {
    if (has_intents()) {
      if (!text.intent) text.intent = predict_label(logits.first(task().labels.size()));
      logits = logits.subspan(task().labels.size());
    }
    const std::vector<PredictedTag> tags = predict_tags(logits, std::ssize(tag_names()));
    for (size_t row = 0; row < tags.size(); ++row) {
      const auto word = static_cast<size_t>(window.words[row]);
      text.tags[word] = tag_names()[static_cast<size_t>(tags[row].tag)];
      text.scores[word] = tags[row].score;
    }
  }

  ordered_json answer(const Tagged& tagged) const {
    ordered_json spans = ordered_json::array();
    for (const Entity& entity : entities(tagged.tags)) {
      const CodePoints place = {tagged.words[static_cast<size_t>(entity.begin)].place.begin,
                                tagged.words[static_cast<size_t>(entity.end) - 1].place.end};
      double score = 0;
      for (int64_t word = entity.begin; word < entity.end; ++word) score += tagged.scores[static_cast<size_t>(word)];
      spans.push_back({{"entity", entity.type},
                       {"start", place.begin},
                       {"end", place.end},
                       {"text", text_at(tagged.text, place)},
                       {"score", score / static_cast<double>(entity.end - entity.begin)}});
    }
    if (!has_intents()) return spans;
    return {{"intent", task().labels[static_cast<size_t>(tagged.intent->label)]},
            {"score", tagged.intent->score},
            {"slots", spans}};
  }

  std::vector<TaskExample> windows_;
  std::vector<Tagged> tagged_;
};

class AnswerPredictor : public TaskPredictor {
 public:
  AnswerPredictor(const PredictOptions& options, const ModelDescription& description)
      : TaskPredictor(options, description), most_(options.top_k.value_or(1)) {}

  void add(const PredictInput& input) override {
    check_texts(input, {2, 2}, "question_answering needs a question and a context");
    std::vector<TaskExample> windows = encoder().question(input[0], input[1]);
    count_if_cut(windows.front());
    std::ranges::move(windows, std::back_inserter(windows_));
    contexts_.push_back({input[1], windows_.size()});
  }

  Answers answer_all() override {
    const std::vector<TaskOutputs> logits = outputs(windows_);
    Answers answers;
    size_t begin = 0;
    for (const Context& context : contexts_) {
      const size_t count = context.end - begin;
      answers.push_back(answer(context.text, std::span(windows_).subspan(begin, count),
                               std::span<const TaskOutputs>(logits).subspan(begin, count)));
      begin = context.end;
    }
    windows_.clear();
    contexts_.clear();
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    if (answer.is_object()) return line(answer);
    std::string text;
    for (const ordered_json& one : answer) text += line(one);
    return text + "\n";
  }

 private:
  struct Context {
    std::string text;
    size_t end = 0;  // of its windows
  };

  ordered_json answer(const std::string& context, std::span<const TaskExample> windows,
                      std::span<const TaskOutputs> logits) const {
    ordered_json list = ordered_json::array();
    const Unanswerable unanswerable = task().unanswerable ? Unanswerable::kYes : Unanswerable::kNo;
    for (const PredictedAnswer& found : predict_answers(windows, logits, most_, unanswerable)) {
      list.push_back({{"answer", text_at(context, found.place)},
                      {"start", found.place.begin},
                      {"end", found.place.end},
                      {"score", found.score}});
    }
    return most_ == 1 ? list.front() : list;
  }
  static std::string line(const ordered_json& answer) {
    const auto text = answer["answer"].get<std::string>();
    return fmt::format("{:.4f} {}\n", answer["score"].get<double>(), text.empty() ? "(no answer)" : text);
  }

  int64_t most_;
  std::vector<TaskExample> windows_;
  std::vector<Context> contexts_;
};

}  // namespace

std::unique_ptr<Predictor> make_task_predictor(const PredictOptions& options, ModelDescription description) {
  set_lengths(description, options.lengths);
  switch (description.task.task) {
    case Task::kTokenClassification:
    case Task::kIntentAndSlots:
      return std::make_unique<TagPredictor>(options, description);
    case Task::kQuestionAnswering:
      return std::make_unique<AnswerPredictor>(options, description);
    case Task::kMultipleChoice:
      return std::make_unique<ChoicePredictor>(options, description);
    default:
      return std::make_unique<SequencePredictor>(options, description);
  }
}

}  // namespace bertha
