#include "train/recipes/task_analysis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/utf8.h"
#include "train/recipes/analysis_parts.h"
#include "train/recipes/excerpt.h"
#include "train/recipes/task_decisions.h"
#include "train/scores/classification_scores.h"
#include "train/scores/entity_scores.h"
#include "train/scores/span_errors.h"
#include "train/scores/squad_scores.h"

namespace bertha {
namespace {

using Mistake = TaskAnalysis::Mistake;

std::string joined(std::span<const std::string> texts, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < texts.size(); ++i) text.append(i > 0 ? separator : "").append(texts[i]);
  return text;
}

// A sentence's words with single blanks between, and where a span of them lies in that.
class WordText {
 public:
  explicit WordText(std::span<const std::string> words) : text_(joined(words, " ")) {
    int32_t at = 0;
    for (const std::string& word : words) {
      const auto length = static_cast<int32_t>(count_code_points(word));
      places_.push_back({at, at + length});
      at += length + 1;
    }
  }

  const std::string& text() const { return text_; }
  std::optional<CodePoints> place(const Entity& entity) const {
    if (entity.begin == entity.end) return std::nullopt;
    return CodePoints{places_[static_cast<size_t>(entity.begin)].begin,
                      places_[static_cast<size_t>(entity.end) - 1].end};
  }

 private:
  std::string text_;
  std::vector<CodePoints> places_;
};

class Analyst {
 public:
  Analyst(const TaskDescription& description, const TaskFile& file, const TaskSet& set,
          std::span<const TaskOutputs> outputs)
      : description_(description), file_(file), set_(set), outputs_(outputs) {}

  TaskAnalysis analyze() {
    analysis_.items = set_.items;
    switch (description_.task) {
      case Task::kMultiLabel:
        several_labels();
        break;
      case Task::kRegression:
        numbers();
        break;
      case Task::kTokenClassification:
        spans(description_.labels, 0);
        break;
      case Task::kIntentAndSlots:
        classes("intent", std::ssize(description_.labels));
        spans(description_.slots, std::ssize(description_.labels));
        break;
      case Task::kQuestionAnswering:
        answers();
        break;
      case Task::kMultipleChoice:
        choices();
        break;
      default:
        classes("label", std::nullopt);
        break;
    }
    mistakes_.move_to(analysis_);
    return std::move(analysis_);
  }

 private:
  const Table& table() const { return std::get<Table>(file_.content); }

  Mistake mistake_of_row(size_t row) const {
    Mistake mistake;
    const TaskColumns& columns = description_.columns;
    mistake.where = fmt::format("line {}", table().line(row));
    mistake.text = shown_text(table().at(row, table().column(columns.text)));
    if (!columns.pair.empty()) mistake.pair = shown_text(table().at(row, table().column(columns.pair)));
    return mistake;
  }

  Mistake mistake_of_sentence(size_t item) const {
    Mistake mistake;
    mistake.where = fmt::format("line {}", set_.sentences[item].line);
    mistake.text = shown_text(joined(set_.sentences[item].words, " "));
    return mistake;
  }

  void classes(const std::string& of, std::optional<int64_t> logits) {
    std::vector<int32_t> predicted;
    Confusion confusion;
    for (const PredictedLabel& best : decide_labels(set_, outputs_, logits)) {
      const size_t item = predicted.size();
      predicted.push_back(best.label);
      const std::string& gold = description_.labels[static_cast<size_t>(set_.labels[item])];
      const std::string& decided = description_.labels[static_cast<size_t>(best.label)];
      confusion.add(gold, decided, 1);
      if (best.label == set_.labels[item]) continue;
      mistakes_.add(logits ? of : "", best.score, [&] {
        Mistake mistake = logits ? mistake_of_sentence(item) : mistake_of_row(item);
        mistake.gold = shown_label(gold);
        mistake.predicted = shown_label(decided);
        return mistake;
      });
    }
    confusion.move_to(description_.labels, analysis_);
    const auto labels = static_cast<int32_t>(description_.labels.size());
    analysis_.tables.push_back(
        analysis_table(of, description_.labels, classification_scores(set_.labels, predicted, labels).labels));
  }

  void several_labels() {
    const size_t count = description_.labels.size();
    std::vector<uint8_t> gold, predicted;
    for (size_t item = 0; item < outputs_.size(); ++item) {
      std::vector<std::string> gold_names, predicted_names;
      double surest = 0;  // of the wrong decisions
      const std::vector<double> scores = predict_labels(outputs_[item]);
      for (size_t i = 0; i < count; ++i) {
        gold.push_back(set_.targets[item * count + i] > 0.5f);
        predicted.push_back(scores[i] > 0.5);
        if (gold.back()) gold_names.push_back(description_.labels[i]);
        if (predicted.back()) predicted_names.push_back(description_.labels[i]);
        if (gold.back() != predicted.back()) surest = std::max({surest, scores[i], 1 - scores[i]});
      }
      if (gold_names == predicted_names) continue;
      mistakes_.add("", surest, [&] {
        Mistake mistake = mistake_of_row(item);
        mistake.gold = shown_label(joined(gold_names, ", "));
        mistake.predicted = shown_label(joined(predicted_names, ", "));
        return mistake;
      });
    }
    analysis_.tables.push_back(analysis_table("label", description_.labels,
                                              multi_label_scores(gold, predicted, static_cast<int32_t>(count)).labels));
  }

  void numbers() {
    for (size_t item = 0; item < outputs_.size(); ++item) {
      const double predicted = outputs_[item][0];
      mistakes_.add("", std::abs(predicted - set_.scores[item]), [&] {
        Mistake mistake = mistake_of_row(item);
        mistake.gold = fmt::format("{:.6g}", set_.scores[item]);
        mistake.predicted = fmt::format("{:.6g}", predicted);
        return mistake;
      });
    }
  }

  void choices() {
    const auto text_of = [&](size_t item, int32_t choice) {
      const std::string& column = description_.columns.choices[static_cast<size_t>(choice)];
      return shown_text(table().at(item, table().column(column)));
    };
    const std::vector<PredictedLabel> decided = decide_labels(set_, outputs_, std::nullopt);
    for (size_t item = 0; item < decided.size(); ++item) {
      if (decided[item].label == set_.labels[item]) continue;
      mistakes_.add("", decided[item].score, [&] {
        Mistake mistake = mistake_of_row(item);
        mistake.gold = text_of(item, set_.labels[item]);
        mistake.predicted = text_of(item, decided[item].label);
        return mistake;
      });
    }
  }

  void spans(std::span<const std::string> tags, int64_t other_logits) {
    const std::vector<DecidedTags> decided = decide_tags(set_, outputs_, tags, other_logits);
    std::vector<std::vector<std::string>> gold, predicted;
    Confusion confusion;
    for (size_t item = 0; item < decided.size(); ++item) {
      gold.push_back(set_.sentences[item].tags);
      predicted.push_back(decided[item].tags);
      add_span_errors(item, decided[item], confusion);
    }
    const EntityScores scores = entity_scores(gold, predicted);
    std::vector<std::string> types;
    std::vector<MatchCounts> counts;
    for (const auto& [type, matches] : scores.types) {
      types.push_back(type);
      counts.push_back(matches);
      confusion.add(type, type, matches.correct);
    }
    analysis_.tables.push_back(analysis_table("type", types, counts));
    types.emplace_back();                                               // none
    if (analysis_.labels.empty()) confusion.move_to(types, analysis_);  // else intents have theirs
  }

  // A span whose ends alone are wrong counts as missed and as too many, as in the scores.
  static void confuse(const SpanError& error, Confusion& confusion) {
    if (error.kind != SpanErrorKind::kBoundary) return confusion.add(error.gold.type, error.predicted.type, 1);
    confusion.add(error.gold.type, "", 1);
    confusion.add("", error.predicted.type, 1);
  }

  void add_span_errors(size_t item, const DecidedTags& decided, Confusion& confusion) {
    const TaggedSentence& sentence = set_.sentences[item];
    for (const SpanError& error : span_errors(entities(sentence.tags), entities(decided.tags))) {
      confuse(error, confusion);
      const bool is_missed = error.kind == SpanErrorKind::kMissed;
      const Entity& decision = is_missed ? error.gold : error.predicted;
      const auto scores = std::span(decided.scores).subspan(static_cast<size_t>(decision.begin));
      const auto surely = *std::ranges::min_element(scores.first(static_cast<size_t>(decision.end - decision.begin)));
      mistakes_.add(to_text(error.kind), surely, [&] {
        const WordText words(sentence.words);
        Excerpt part = excerpt(words.text(), words.place(error.gold), words.place(error.predicted), kLongestShownText);
        Mistake mistake;
        mistake.where = fmt::format("line {}", sentence.line);
        mistake.text = std::move(part.text);
        mistake.gold = shown_label(error.gold.type);
        mistake.predicted = shown_label(error.predicted.type);
        mistake.gold_place = part.gold;
        mistake.predicted_place = part.predicted;
        return mistake;
      });
    }
  }

  void answers() {
    const Unanswerable unanswerable = description_.unanswerable ? Unanswerable::kYes : Unanswerable::kNo;
    const std::vector<PredictedAnswer> decided = decide_answers(set_, outputs_, unanswerable);
    const std::vector<std::string> has_answer = {"an answer", ""};  // or none
    Confusion confusion;
    for (size_t item = 0; item < decided.size(); ++item) {
      const Question& question = set_.questions[item];
      const std::string answer = text_at(*question.context, decided[item].place);
      std::vector<std::string> gold;
      for (const Answer& known : question.answers) gold.push_back(known.text);
      const AnswerScores scores = answer_scores(answer, gold);
      confusion.add(has_answer[gold.empty()], has_answer[answer.empty()], 1);
      if (scores.exact_match == 1) continue;
      mistakes_.add(kind_of_answer(gold, answer, scores), decided[item].score,
                    [&] { return mistake_of_question(question, gold, decided[item], answer, scores); });
    }
    if (description_.unanswerable) confusion.move_to(has_answer, analysis_);
  }

  static std::string kind_of_answer(std::span<const std::string> gold, const std::string& answer,
                                    const AnswerScores& scores) {
    if (gold.empty()) return "answered without an answer";
    if (answer.empty()) return "not answered";
    return scores.f1 > 0 ? "partly right" : "wrong";
  }

  Mistake mistake_of_question(const Question& question, std::vector<std::string> gold, const PredictedAnswer& decided,
                              const std::string& answer, const AnswerScores& scores) const {
    std::optional<CodePoints> right, place;
    const auto known = std::ranges::find_if(question.answers, [](const Answer& a) { return a.start >= 0; });
    if (known != question.answers.end()) {
      const auto begin = static_cast<int32_t>(known->start);
      right = CodePoints{begin, begin + static_cast<int32_t>(count_code_points(known->text))};
    }
    if (!answer.empty()) place = decided.place;
    Excerpt part = excerpt(*question.context, right, place, kLongestShownText);
    std::ranges::sort(gold);
    gold.erase(std::ranges::unique(gold).begin(), gold.end());
    Mistake mistake;
    mistake.where = question.id;
    mistake.text = std::move(part.text);
    mistake.pair = shown_text(question.question);
    mistake.gold = shown_text(joined(gold, " | "));
    mistake.predicted = shown_text(answer);
    mistake.gold_place = part.gold;
    mistake.predicted_place = part.predicted;
    mistake.f1 = scores.f1;
    return mistake;
  }

  const TaskDescription& description_;
  const TaskFile& file_;
  const TaskSet& set_;
  std::span<const TaskOutputs> outputs_;
  Mistakes mistakes_;
  TaskAnalysis analysis_;
};

}  // namespace

TaskAnalysis analyze_task(const TaskDescription& description, const TaskFile& file, const TaskSet& set,
                          std::span<const TaskOutputs> outputs) {
  return Analyst(description, file, set, outputs).analyze();
}

}  // namespace bertha
