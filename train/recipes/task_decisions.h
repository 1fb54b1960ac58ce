#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/recipes/task_passes.h"
#include "train/recipes/task_predictions.h"
#include "train/recipes/task_set.h"

namespace bertha {

// What a model's outputs on a set's examples say of its items.

/// A label for each item, with its probability: the best of the first `logits` numbers of its first window, or of all.
std::vector<PredictedLabel> decide_labels(const TaskSet& set, std::span<const TaskOutputs> outputs,
                                          std::optional<int64_t> logits);

/// A tag for each word of each sentence, with its probability; `O` with 1 for words without a token, which are outside
/// of everything. In the outputs `other_logits` numbers stand in front of those of `tags`.
struct DecidedTags {
  std::vector<std::string> tags;
  std::vector<double> scores;
};
std::vector<DecidedTags> decide_tags(const TaskSet& set, std::span<const TaskOutputs> outputs,
                                     std::span<const std::string> tags, int64_t other_logits);

/// The best answer to each question.
std::vector<PredictedAnswer> decide_answers(const TaskSet& set, std::span<const TaskOutputs> outputs,
                                            Unanswerable unanswerable);

}  // namespace bertha
