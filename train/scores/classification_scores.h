#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/scores/match_counts.h"

namespace bertha {

/// How predicted labels, one an example, agree with gold labels. Of no examples accuracy and macro F1 are NaN.
struct ClassificationScores {
  double accuracy = 0;
  double macro_f1 = 0;  // mean over the labels that occur in gold or prediction
  double matthews = 0;  // correlation coefficient of several classes; 0 where either side has one label only
  std::vector<MatchCounts> labels;  // precision, recall, F1 and support (`gold`) of each
  std::vector<int64_t> confusion;   // (gold, predicted), row by row: how many examples
};

/// Labels are from 0 to below `labels`. The numbers are scikit-learn's. Throws Error where lengths differ or a label is
/// outside.
/// Source: Gorodkin 2004 (doi:10.1016/j.compbiolchem.2004.09.006) for Matthews' coefficient of several classes.
ClassificationScores classification_scores(std::span<const int32_t> gold, std::span<const int32_t> predicted,
                                           int32_t labels);

/// How predicted sets of labels agree with gold sets. Of no examples subset accuracy is NaN.
struct MultiLabelScores {
  double micro_f1 = 0;
  double macro_f1 = 0;         // mean over all labels
  double subset_accuracy = 0;  // examples whose sets are equal
  std::vector<MatchCounts> labels;
};

/// gold, predicted: (examples, labels), 1 where an example has a label, else 0. The numbers are scikit-learn's. Throws
/// Error where sizes do not fit.
MultiLabelScores multi_label_scores(std::span<const uint8_t> gold, std::span<const uint8_t> predicted, int32_t labels);

}  // namespace bertha
