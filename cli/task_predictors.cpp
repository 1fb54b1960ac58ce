#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

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
using Inputs = std::span<const PredictInput>;

// A fine-tuned model with what it remembers of its task.
class TaskPredictor : public JsonPredictor<ordered_json> {
 public:
  TaskPredictor(const PredictOptions& options, const ModelDescription& description)
      : description_(description),
        model_(read_task_model(options.model, description)),
        tokenizer_(read_tokenizer(options.model, description.config)),
        encoder_(*tokenizer_, sequence_length(description), description.task.stride) {}

 protected:
  const TaskDescription& task() const { return description_.task; }
  const ExampleEncoder& encoder() const { return encoder_; }

  // The examples' outputs from one packed batch.
  std::vector<TaskOutputs> outputs(std::vector<TaskExample> examples) const {
    const int64_t count = std::ssize(examples);
    const EvaluationBatches batches(
        example_source(std::make_shared<const std::vector<TaskExample>>(std::move(examples))), count);
    return task_outputs(*model_, batches.at(0));
  }

  ordered_json named(std::span<const double> scores) const {
    ordered_json object = ordered_json::object();
    for (size_t i = 0; i < scores.size(); ++i) object[task().labels[i]] = scores[i];
    return object;
  }

 private:
  static int64_t sequence_length(const ModelDescription& description) {
    const int64_t longest = description.config.longest_sequence();
    return description.task.sequence_length ? std::min(description.task.sequence_length, longest) : longest;
  }

  ModelDescription description_;
  std::unique_ptr<BertForTask> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  ExampleEncoder encoder_;
};

class SequencePredictor : public TaskPredictor {
 public:
  using TaskPredictor::TaskPredictor;

  Answers answer_all(Inputs inputs) override {
    std::vector<TaskExample> examples;
    for (const PredictInput& input : inputs) examples.push_back(encoder().text(input[0], pair_of(input)));
    Answers answers;
    for (const TaskOutputs& logits : outputs(std::move(examples))) answers.push_back(answer(logits));
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
};

class ChoicePredictor : public TaskPredictor {
 public:
  using TaskPredictor::TaskPredictor;

  Answers answer_all(Inputs inputs) override {
    std::vector<TaskExample> examples;
    for (const PredictInput& input : inputs) {
      check_texts(input, 3, "multiple_choice needs a text and two choices or more");
      examples.push_back(encoder().choices(input[0], std::span(input).subspan(1)));
    }
    Answers answers;
    const std::vector<TaskOutputs> logits = outputs(std::move(examples));
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
};

// Tags of words as spans of the text, with the intent where the model has intents.
class TagPredictor : public TaskPredictor {
 public:
  using TaskPredictor::TaskPredictor;

  Answers answer_all(Inputs inputs) override {
    std::vector<std::vector<TextWord>> words;
    std::vector<TaskExample> windows;
    for (const PredictInput& input : inputs) {
      std::vector<std::string> texts;
      for (const TextWord& word : words.emplace_back(words_of(input[0]))) texts.push_back(word.word);
      for (TaskExample& window : encoder().words(texts)) {
        window.item = std::ssize(words) - 1;
        windows.push_back(std::move(window));
      }
    }
    std::vector<Tagged> tagged;
    for (const auto& text : words) tagged.push_back(Tagged(text.size()));
    const std::vector<TaskOutputs> logits = outputs(windows);
    for (size_t i = 0; i < windows.size(); ++i) add_window(windows[i], logits[i], tagged);
    Answers answers;
    for (size_t i = 0; i < inputs.size(); ++i) answers.push_back(answer(inputs[i][0], words[i], tagged[i]));
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
    explicit Tagged(size_t words) : tags(words, "O"), scores(words, 1) {}
    std::vector<std::string> tags;
    std::vector<double> scores;
    std::optional<PredictedLabel> intent;
  };

  bool has_intents() const { return task().task == Task::kIntentAndSlots; }
  const std::vector<std::string>& tag_names() const { return has_intents() ? task().slots : task().labels; }

  // What a text means is asked of its first window.
  void add_window(const TaskExample& window, std::span<const float> logits, std::vector<Tagged>& tagged) const {
    Tagged& text = tagged[static_cast<size_t>(window.item)];
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

  ordered_json answer(const std::string& text, const std::vector<TextWord>& words, const Tagged& tagged) const {
    ordered_json spans = ordered_json::array();
    for (const Entity& entity : entities(tagged.tags)) {
      const CodePoints place = {words[static_cast<size_t>(entity.begin)].place.begin,
                                words[static_cast<size_t>(entity.end) - 1].place.end};
      double score = 0;
      for (int64_t word = entity.begin; word < entity.end; ++word) score += tagged.scores[static_cast<size_t>(word)];
      spans.push_back({{"entity", entity.type},
                       {"start", place.begin},
                       {"end", place.end},
                       {"text", text_at(text, place)},
                       {"score", score / static_cast<double>(entity.end - entity.begin)}});
    }
    if (!has_intents()) return spans;
    return {{"intent", task().labels[static_cast<size_t>(tagged.intent->label)]},
            {"score", tagged.intent->score},
            {"slots", spans}};
  }
};

class AnswerPredictor : public TaskPredictor {
 public:
  AnswerPredictor(const PredictOptions& options, const ModelDescription& description)
      : TaskPredictor(options, description), most_(options.top_k.value_or(1)) {}

  Answers answer_all(Inputs inputs) override {
    std::vector<TaskExample> windows;
    std::vector<size_t> ends;
    for (const PredictInput& input : inputs) {
      check_texts(input, 2, "question_answering needs a question and a context");
      for (TaskExample& window : encoder().question(input[0], input[1])) windows.push_back(std::move(window));
      ends.push_back(windows.size());
    }
    const std::vector<TaskOutputs> logits = outputs(windows);
    Answers answers;
    size_t begin = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const size_t count = ends[i] - begin;
      answers.push_back(answer(inputs[i][1], std::span(windows).subspan(begin, count),
                               std::span<const TaskOutputs>(logits).subspan(begin, count)));
      begin = ends[i];
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    if (answer.is_object()) return line(answer);
    std::string text;
    for (const ordered_json& one : answer) text += line(one);
    return text + "\n";
  }

 private:
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
};

}  // namespace

std::unique_ptr<Predictor> make_task_predictor(const PredictOptions& options, const ModelDescription& description) {
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
