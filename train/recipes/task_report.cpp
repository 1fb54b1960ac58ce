#include "train/recipes/task_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "data/tasks/blank_separated.h"
#include "train/recipes/task_decisions.h"
#include "train/recipes/task_predictions.h"
#include "train/scores/classification_scores.h"
#include "train/scores/entity_scores.h"
#include "train/scores/regression_scores.h"
#include "train/scores/squad_scores.h"

namespace bertha {
namespace {

constexpr size_t kLargestConfusionTable = 20;  // labels

std::string score_row(const std::string& name, const MatchCounts& counts) {
  return fmt::format("{:<24}{:>10.4f}{:>10.4f}{:>10.4f}{:>10}\n", name, counts.precision(), counts.recall(),
                     counts.f1(), counts.gold);
}
std::string score_header(const char* kind) {
  return fmt::format("{:<24}{:>10}{:>10}{:>10}{:>10}\n", kind, "precision", "recall", "f1", "support");
}

// A word without the blanks that would end it.
std::string as_column(std::string word) {
  std::ranges::replace_if(
      word, [](char c) { return kBlanks.find(c) != kBlanks.npos; }, '_');
  return word;
}

class Reporter {
 public:
  Reporter(const TaskDescription& description, const TaskSet& set, std::vector<TaskOutputs> outputs)
      : description_(description), set_(set), outputs_(std::move(outputs)) {}

  TaskReport report() {
    switch (description_.task) {
      case Task::kMultiLabel:
        several_labels();
        break;
      case Task::kRegression:
        scores();
        break;
      case Task::kTokenClassification:
        tags();
        break;
      case Task::kIntentAndSlots:
        intents_and_slots();
        break;
      case Task::kQuestionAnswering:
        answers();
        break;
      default:
        labels();
        break;
    }
    return std::move(report_);
  }

 private:
  void add(std::string name, double value) { report_.metrics.emplace_back(std::move(name), value); }

  std::string label_name(int32_t label) const {
    return description_.task == Task::kMultipleChoice ? std::to_string(label)
                                                      : description_.labels[static_cast<size_t>(label)];
  }

  // Predicted labels, and a table of them.
  std::vector<int32_t> predict_all(std::optional<int64_t> logits, std::string& table) {
    std::vector<int32_t> predicted;
    table = "index\tlabel\tpredicted\tscore\n";
    for (const PredictedLabel& best : decide_labels(set_, outputs_, logits)) {
      const size_t item = predicted.size();
      predicted.push_back(best.label);
      table += fmt::format("{}\t{}\t{}\t{}\n", item, label_name(set_.labels[item]), label_name(best.label), best.score);
    }
    return predicted;
  }

  void labels() {
    const std::vector<int32_t> predicted = predict_all(std::nullopt, report_.predictions);
    const bool choices = description_.task == Task::kMultipleChoice;
    const auto count = static_cast<int32_t>(choices ? description_.columns.choices.size() : description_.labels.size());
    const ClassificationScores scores = classification_scores(set_.labels, predicted, count);
    add("accuracy", scores.accuracy);
    if (choices) return;
    add("macro_f1", scores.macro_f1);
    add("matthews", scores.matthews);
    report_.table = score_header("label");
    for (int32_t label = 0; label < count; ++label) {
      report_.table += score_row(label_name(label), scores.labels[static_cast<size_t>(label)]);
    }
    add_confusion(scores, count);
  }

  void add_confusion(const ClassificationScores& scores, int32_t count) {
    if (static_cast<size_t>(count) > kLargestConfusionTable) return;
    report_.table += "\ngold \\ predicted";
    for (int32_t label = 0; label < count; ++label) report_.table += fmt::format("{:>14.13}", label_name(label));
    for (int32_t gold = 0; gold < count; ++gold) {
      report_.table += fmt::format("\n{:<16.16}", label_name(gold));
      for (int32_t label = 0; label < count; ++label) {
        report_.table += fmt::format("{:>14}", scores.confusion[static_cast<size_t>(gold * count + label)]);
      }
    }
    report_.table += "\n";
  }

  void several_labels() {
    std::vector<uint8_t> gold, predicted;
    const size_t count = description_.labels.size();
    report_.predictions = "index\tlabel\tpredicted\tscore\n";
    const auto names = [&](const std::vector<uint8_t>& which) {
      std::string text;
      for (size_t i = 0; i < count; ++i) {
        if (which[which.size() - count + i]) text += (text.empty() ? "" : " ") + description_.labels[i];
      }
      return text;
    };
    for (size_t item = 0; item < outputs_.size(); ++item) {
      std::string probabilities;
      const std::vector<double> scores = predict_labels(outputs_[item]);
      for (size_t i = 0; i < count; ++i) {
        gold.push_back(set_.targets[item * count + i] > 0.5f);
        predicted.push_back(scores[i] > 0.5);
        probabilities += fmt::format("{}{}", i > 0 ? " " : "", scores[i]);
      }
      report_.predictions += fmt::format("{}\t{}\t{}\t{}\n", item, names(gold), names(predicted), probabilities);
    }
    const MultiLabelScores scores = multi_label_scores(gold, predicted, static_cast<int32_t>(count));
    add("micro_f1", scores.micro_f1);
    add("macro_f1", scores.macro_f1);
    add("subset_accuracy", scores.subset_accuracy);
    report_.table = score_header("label");
    for (size_t i = 0; i < count; ++i) report_.table += score_row(description_.labels[i], scores.labels[i]);
  }

  void scores() {
    std::vector<double> predicted;
    report_.predictions = "index\tlabel\tpredicted\tscore\n";
    for (size_t item = 0; item < outputs_.size(); ++item) {
      predicted.push_back(outputs_[item][0]);
      report_.predictions += fmt::format("{}\t{}\t{}\t{}\n", item, set_.scores[item], predicted[item], predicted[item]);
    }
    const RegressionScores scores = regression_scores(set_.scores, predicted);
    add("pearson", scores.pearson);
    add("spearman", scores.spearman);
    add("mse", scores.mse);
  }

  std::vector<std::vector<std::string>> predict_sentences(std::span<const std::string> tags, int64_t other_logits) {
    std::vector<std::vector<std::string>> predicted;
    for (DecidedTags& sentence : decide_tags(set_, outputs_, tags, other_logits)) {
      predicted.push_back(std::move(sentence.tags));
    }
    return predicted;
  }

  EntityScores score_sentences(const std::vector<std::vector<std::string>>& predicted) {
    std::vector<std::vector<std::string>> gold;
    std::string lines;
    for (size_t s = 0; s < set_.sentences.size(); ++s) {
      const TaggedSentence& sentence = set_.sentences[s];
      gold.push_back(sentence.tags);
      for (size_t w = 0; w < sentence.words.size(); ++w) {
        lines += fmt::format("{} {} {}\n", as_column(sentence.words[w]), as_column(sentence.tags[w]),
                             as_column(predicted[s][w]));
      }
      lines += "\n";
    }
    report_.predictions = lines;
    const EntityScores scores = entity_scores(gold, predicted);
    report_.table += score_header("type");
    for (const auto& [type, counts] : scores.types) report_.table += score_row(type, counts);
    return scores;
  }

  void tags() {
    const EntityScores scores = score_sentences(predict_sentences(description_.labels, 0));
    add("precision", scores.all.precision());
    add("recall", scores.all.recall());
    add("f1", scores.all.f1());
    add("accuracy", scores.accuracy);
  }

  void intents_and_slots() {
    const int64_t intents = std::ssize(description_.labels);
    const std::vector<int32_t> predicted_intents = predict_all(intents, report_.intents);
    const auto predicted = predict_sentences(description_.slots, intents);
    const ClassificationScores intent_scores =
        classification_scores(set_.labels, predicted_intents, static_cast<int32_t>(intents));
    report_.table = score_header("intent");
    for (int32_t label = 0; label < intents; ++label) {
      report_.table += score_row(label_name(label), intent_scores.labels[static_cast<size_t>(label)]);
    }
    add_confusion(intent_scores, static_cast<int32_t>(intents));
    report_.table += "\n";
    const EntityScores slot_scores = score_sentences(predicted);
    int64_t joint = 0;
    for (size_t s = 0; s < set_.sentences.size(); ++s) {
      joint += predicted_intents[s] == set_.labels[s] && predicted[s] == set_.sentences[s].tags;
    }
    add("intent_accuracy", intent_scores.accuracy);
    add("slot_f1", slot_scores.all.f1());
    add("joint_accuracy", static_cast<double>(joint) / static_cast<double>(set_.sentences.size()));
  }

  void answers() {
    const Unanswerable unanswerable = description_.unanswerable ? Unanswerable::kYes : Unanswerable::kNo;
    std::vector<AnswerScores> scores;
    nlohmann::ordered_json predictions = nlohmann::ordered_json::object();
    for (const PredictedAnswer& best : decide_answers(set_, outputs_, unanswerable)) {
      const Question& question = set_.questions[scores.size()];
      const std::string text = text_at(*question.context, best.place);
      predictions[question.id] = text;
      std::vector<std::string> gold;
      for (const Answer& answer : question.answers) gold.push_back(answer.text);
      scores.push_back(answer_scores(text, gold));
    }
    const AnswerScores all = mean(scores);
    add("exact_match", 100 * all.exact_match);
    add("f1", 100 * all.f1);
    report_.predictions = predictions.dump() + "\n";
  }

  const TaskDescription& description_;
  const TaskSet& set_;
  std::vector<TaskOutputs> outputs_;
  TaskReport report_;
};

}  // namespace

TaskReport report_task(const TaskDescription& description, const TaskSet& set, std::vector<TaskOutputs> outputs) {
  return Reporter(description, set, std::move(outputs)).report();
}

std::string_view deciding_metric(Task task) {
  switch (task) {
    case Task::kMultiLabel:
      return "micro_f1";
    case Task::kRegression:
      return "pearson";
    case Task::kTokenClassification:
    case Task::kQuestionAnswering:
      return "f1";
    case Task::kIntentAndSlots:
      return "joint_accuracy";
    default:
      return "accuracy";
  }
}

}  // namespace bertha
