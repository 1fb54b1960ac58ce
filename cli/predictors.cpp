#include "cli/predictors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/npy_file.h"
#include "data/batches.h"
#include "data/file.h"
#include "data/lines.h"
#include "data/tasks/example_encoder.h"
#include "data/tasks/text_words.h"
#include "data/utf8.h"
#include "train/model_directory.h"
#include "train/recipes/fill_mask.h"
#include "train/recipes/task_passes.h"
#include "train/recipes/task_predictions.h"
#include "train/scores/entity_scores.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;
using Answers = std::vector<ordered_json>;
using Inputs = std::span<const PredictInput>;

constexpr int64_t kDefaultCandidates = 5;
constexpr uint64_t kLargestCandidateFile = uint64_t{1} << 30;

void check_texts(const PredictInput& input, size_t wanted, std::string_view what) {
  check<ConfigError>(input.size() >= wanted, "input: ", what, " (on the command line, or parted by tabs on a line)");
}

std::optional<std::string_view> pair_of(const PredictInput& input) {
  return input.size() > 1 ? std::optional<std::string_view>(input[1]) : std::nullopt;
}

std::vector<Encoding> encode_whole(const Tokenizer& tokenizer, Inputs inputs) {
  std::vector<Encoding> encodings;
  for (const PredictInput& input : inputs) encodings.push_back(tokenizer.encode(input[0], pair_of(input), {}));
  return encodings;
}

// A predictor whose replies are all in their JSON.
class JsonPredictor : public Predictor {
 public:
  std::vector<Reply> predict(Inputs inputs) final {
    std::vector<Reply> replies;
    for (const ordered_json& answer : answer_all(inputs)) {
      // A text that was cut within a character must not end the program.
      replies.push_back({answer.dump(-1, ' ', false, ordered_json::error_handler_t::replace), describe(answer)});
    }
    return replies;
  }

 protected:
  virtual Answers answer_all(Inputs inputs) = 0;
  virtual std::string describe(const ordered_json& answer) const = 0;
};

// ---- Heads of pretraining ----

class MaskPredictor : public JsonPredictor {
 public:
  explicit MaskPredictor(const PredictOptions& options)
      : model_(read_model(options.model)),
        tokenizer_(read_tokenizer(options.model, model_->config())),
        top_k_(options.top_k.value_or(kDefaultCandidates)) {}

  Answers answer_all(Inputs inputs) override {
    const std::vector<Encoding> texts = encode_whole(*tokenizer_, inputs);
    const int32_t mask = tokenizer_->specials().mask;
    for (const Encoding& text : texts) {
      check<ConfigError>(std::ranges::count(text.ids, mask) > 0, "text: holds no ", tokenizer_->token(mask),
                         " to fill");
    }
    Answers answers;
    for (const auto& masks : fill_masks(*model_, texts, mask, top_k_)) {
      ordered_json lists = ordered_json::array();
      for (const auto& candidates : masks) lists.push_back(list(candidates));
      answers.push_back(lists.size() == 1 ? lists.front() : lists);
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    if (answer.front().is_object()) return table(answer);
    std::string text;
    for (const ordered_json& mask : answer) text += table(mask);
    return text;
  }

 private:
  ordered_json list(const std::vector<Candidate>& candidates) const {
    ordered_json list = ordered_json::array();
    for (const Candidate& candidate : candidates) {
      list.push_back({{"token", name(candidate.id)}, {"id", candidate.id}, {"score", candidate.score}});
    }
    return list;
  }
  // A model may have more rows than the vocabulary has tokens.
  std::string name(int32_t id) const {
    return id < tokenizer_->size() ? tokenizer_->token(id) : fmt::format("[unused {}]", id);
  }
  static std::string table(const ordered_json& candidates) {
    std::string text;
    for (const ordered_json& candidate : candidates) {
      text += fmt::format("{:<20} {:.4f}\n", candidate["token"].get<std::string>(), candidate["score"].get<double>());
    }
    return text + "\n";
  }

  std::unique_ptr<BertForPretraining> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  int64_t top_k_;
};

class NextSentencePredictor : public JsonPredictor {
 public:
  explicit NextSentencePredictor(const PredictOptions& options)
      : model_(read_model(options.model)), tokenizer_(read_tokenizer(options.model, model_->config())) {}

  Answers answer_all(Inputs inputs) override {
    for (const PredictInput& input : inputs) check_texts(input, 2, "next_sentence needs two texts");
    Answers answers;
    for (const double score : next_sentence_probabilities(*model_, encode_whole(*tokenizer_, inputs))) {
      answers.push_back({{"is_next", score >= 0.5}, {"score", score}});
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    return fmt::format("{} {:.4f}\n", answer["is_next"].get<bool>() ? "is_next" : "not_next",
                       answer["score"].get<double>());
  }

 private:
  std::unique_ptr<BertForPretraining> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

// ---- Heads of fine-tuning ----

// A fine-tuned model with what it remembers of its task.
class TaskPredictor : public JsonPredictor {
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

// ---- Vectors ----

class VectorPredictor : public JsonPredictor {
 public:
  VectorPredictor(const PredictOptions& options, ModelDescription description) : options_(options) {
    description.head = Head::kNone;
    model_ = read_task_model(options.model, description);
    tokenizer_ = read_tokenizer(options.model, description.config);
  }

 protected:
  const PredictOptions& options() const { return options_; }

  // Texts that are too long are cut.
  std::vector<Tensor> vectors(std::span<const std::string> texts) const {
    std::vector<Encoding> encodings;
    std::vector<TextRange> words;
    for (const std::string& text : texts) {
      encodings.push_back(tokenizer_->encode(text, std::nullopt, {.max_length = model_->config().longest_sequence()}));
      if (!options_.word.empty()) words.push_back(place_of_word(text));
    }
    return options_.word.empty() ? embed(*model_, encodings, options_.pooling) : embed_words(*model_, encodings, words);
  }

 private:
  TextRange place_of_word(const std::string& text) const {
    const size_t at = text.find(options_.word);
    check<ConfigError>(at != text.npos, "text: '", text, "' does not hold the word '", options_.word, "'");
    const int64_t begin = count_code_points(std::string_view(text).substr(0, at));
    return {begin, begin + count_code_points(options_.word)};
  }

  const PredictOptions& options_;
  std::unique_ptr<BertForTask> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

class EmbeddingPredictor : public VectorPredictor {
 public:
  EmbeddingPredictor(const PredictOptions& options, const ModelDescription& description)
      : VectorPredictor(options, description) {
    if (!options.output.empty()) file_.emplace(options.output);
  }

  Answers answer_all(Inputs inputs) override {
    std::vector<std::string> texts;
    for (const PredictInput& input : inputs) texts.push_back(input[0]);
    Answers answers;
    for (const Tensor& vector : vectors(texts)) {
      if (file_) {
        file_->append(vector.span<float>(), vector.cols());
      } else {
        answers.push_back({{"embedding", rows_of(vector)}});
      }
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override { return answer["embedding"].dump() + "\n"; }

  void finish() override {
    if (file_) file_->finish();
  }

 private:
  ordered_json rows_of(const Tensor& vectors) const {
    ordered_json rows = ordered_json::array();
    for (int64_t row = 0; row < vectors.rows(); ++row) {
      const Tensor one = vectors.row_range(row, 1);
      rows.push_back(std::vector<float>(one.span<float>().begin(), one.span<float>().end()));
    }
    return options().pooling == Pooling::kTokens && options().word.empty() ? rows : rows.front();
  }

  std::optional<NpyFile> file_;
};

class SimilarityPredictor : public VectorPredictor {
 public:
  SimilarityPredictor(const PredictOptions& options, const ModelDescription& description)
      : VectorPredictor(options, description) {
    check<ConfigError>(options.pooling != Pooling::kTokens, "similarity: --pooling tokens (expected mean or cls)");
    if (!options.candidates.empty()) read_candidates();
  }

  Answers answer_all(Inputs inputs) override {
    Answers answers;
    for (const PredictInput& input : inputs) answers.push_back(lines_.empty() ? compare(input) : search(input));
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    if (answer.is_object()) return fmt::format("{:.4f}\n", answer["score"].get<double>());
    std::string text;
    for (const ordered_json& line : answer) {
      text += fmt::format("{:.4f} {}\n", line["score"].get<double>(), line["text"].get<std::string>());
    }
    return text + "\n";
  }

 private:
  static constexpr size_t kBatch = 32;

  void read_candidates() {
    for_each_line(read_text(options().candidates, kLargestCandidateFile), [&](std::string_view line) {
      if (!is_blank(line)) lines_.emplace_back(line);
    });
    check<ConfigError>(!lines_.empty(), options().candidates, ": holds no lines to search");
    for (size_t begin = 0; begin < lines_.size(); begin += kBatch) {
      const auto part = std::span<const std::string>(lines_).subspan(begin, std::min(kBatch, lines_.size() - begin));
      for (Tensor& vector : vectors(part)) line_vectors_.push_back(std::move(vector));
    }
  }

  ordered_json compare(const PredictInput& input) const {
    check_texts(input, 2, "similarity needs two texts, or --candidates FILE");
    const std::vector<Tensor> both = vectors(std::span(input).first(2));
    return {{"score", cosine(both[0].span<float>(), both[1].span<float>())}};
  }

  ordered_json search(const PredictInput& input) const {
    const Tensor wanted = vectors(std::span(input).first(1)).front();
    std::vector<std::pair<double, size_t>> scores;
    for (size_t i = 0; i < lines_.size(); ++i) {
      scores.emplace_back(-cosine(wanted.span<float>(), line_vectors_[i].span<float>()), i);
    }
    const auto count = std::min<int64_t>(options().top_k.value_or(kDefaultCandidates), std::ssize(scores));
    std::partial_sort(scores.begin(), scores.begin() + count, scores.end());
    ordered_json list = ordered_json::array();
    for (int64_t i = 0; i < count; ++i) {
      const auto& [score, line] = scores[static_cast<size_t>(i)];
      list.push_back({{"text", lines_[line]}, {"score", -score}});
    }
    return list;
  }

  std::vector<std::string> lines_;
  std::vector<Tensor> line_vectors_;
};

Task natural_task(const ModelDescription& description) {
  const Head head = description.head;
  if (head == Head::kMlm || head == Head::kMlmAndNextSentence) return Task::kFillMask;
  return description.task.task;
}

// Any model has hidden states; other tasks need their head.
bool has_head_for(const ModelDescription& description, Task task) {
  switch (task) {
    case Task::kEmbedding:
    case Task::kSimilarity:
      return true;
    case Task::kFillMask:
      return description.head == Head::kMlm || description.head == Head::kMlmAndNextSentence;
    case Task::kNextSentence:
      return description.head == Head::kNextSentence || description.head == Head::kMlmAndNextSentence;
    default:
      return description.task.task == task;
  }
}

}  // namespace

std::unique_ptr<Predictor> make_predictor(const PredictOptions& options) {
  const ModelDescription description = read_model_description(options.model);
  const Task task = options.task.value_or(natural_task(description));
  check<MismatchError>(has_head_for(description, task), options.model, ": has no head for this task (", task_name(task),
                       "; it was trained for ", task_name(natural_task(description)), ")");
  switch (task) {
    case Task::kFillMask:
      return std::make_unique<MaskPredictor>(options);
    case Task::kNextSentence:
      return std::make_unique<NextSentencePredictor>(options);
    case Task::kEmbedding:
      return std::make_unique<EmbeddingPredictor>(options, description);
    case Task::kSimilarity:
      return std::make_unique<SimilarityPredictor>(options, description);
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
