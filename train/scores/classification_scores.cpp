#include "train/scores/classification_scores.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "autograd/core/error.h"

namespace bertha {
namespace {

double mean_f1(std::span<const MatchCounts> labels) {
  double sum = 0;
  for (const MatchCounts& label : labels) sum += label.f1();
  return sum / static_cast<double>(labels.size());
}

std::vector<MatchCounts> those_that_occur(std::span<const MatchCounts> labels) {
  std::vector<MatchCounts> occurring;
  std::ranges::copy_if(labels, std::back_inserter(occurring),
                       [](const MatchCounts& label) { return label.gold + label.predicted > 0; });
  return occurring;
}

/// Covariance of gold and prediction over the root of their variances, as counts.
double matthews(std::span<const MatchCounts> labels, double examples) {
  double correct = 0, gold_predicted = 0, gold_squares = 0, predicted_squares = 0;
  for (const MatchCounts& label : labels) {
    const auto gold = static_cast<double>(label.gold), predicted = static_cast<double>(label.predicted);
    correct += static_cast<double>(label.correct);
    gold_predicted += gold * predicted;
    gold_squares += gold * gold;
    predicted_squares += predicted * predicted;
  }
  const double gold_variance = examples * examples - gold_squares;
  const double predicted_variance = examples * examples - predicted_squares;
  if (gold_variance == 0 || predicted_variance == 0) return 0;
  return (correct * examples - gold_predicted) / std::sqrt(gold_variance * predicted_variance);
}

}  // namespace

ClassificationScores classification_scores(std::span<const int32_t> gold, std::span<const int32_t> predicted,
                                           int32_t labels) {
  check<Error>(gold.size() == predicted.size(), "classification scores: ", gold.size(), " gold labels and ",
               predicted.size(), " predicted ones");
  ClassificationScores scores;
  scores.labels.resize(static_cast<size_t>(labels));
  scores.confusion.resize(static_cast<size_t>(labels) * static_cast<size_t>(labels));
  int64_t correct = 0;
  for (size_t i = 0; i < gold.size(); ++i) {
    const int32_t g = gold[i], p = predicted[i];
    check<Error>(std::min(g, p) >= 0 && std::max(g, p) < labels, "classification scores: example ", i, " has labels ",
                 g, " and ", p, " (expected 0 to ", labels - 1, ")");
    ++scores.labels[static_cast<size_t>(g)].gold;
    ++scores.labels[static_cast<size_t>(p)].predicted;
    ++scores.confusion[static_cast<size_t>(g) * static_cast<size_t>(labels) + static_cast<size_t>(p)];
    if (g != p) continue;
    ++scores.labels[static_cast<size_t>(g)].correct;
    ++correct;
  }
  const auto examples = static_cast<double>(gold.size());
  scores.accuracy = static_cast<double>(correct) / examples;
  scores.macro_f1 = mean_f1(those_that_occur(scores.labels));
  scores.matthews = matthews(scores.labels, examples);
  return scores;
}

MultiLabelScores multi_label_scores(std::span<const uint8_t> gold, std::span<const uint8_t> predicted, int32_t labels) {
  const auto width = static_cast<size_t>(labels);
  check<Error>(labels > 0 && gold.size() == predicted.size() && gold.size() % width == 0,
               "multi-label scores: ", gold.size(), " gold and ", predicted.size(), " predicted values for ", labels,
               " labels");
  MultiLabelScores scores;
  scores.labels.resize(width);
  const size_t examples = gold.size() / width;
  int64_t equal = 0;
  for (size_t i = 0; i < examples; ++i) {
    bool same = true;
    for (size_t label = 0; label < width; ++label) {
      const bool g = gold[i * width + label] != 0, p = predicted[i * width + label] != 0;
      scores.labels[label] += {g, p, g && p};
      same &= g == p;
    }
    equal += same;
  }
  MatchCounts all;
  for (const MatchCounts& label : scores.labels) all += label;
  scores.micro_f1 = all.f1();
  scores.macro_f1 = mean_f1(scores.labels);
  scores.subset_accuracy = static_cast<double>(equal) / static_cast<double>(examples);
  return scores;
}

}  // namespace bertha
