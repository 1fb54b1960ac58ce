#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/tasks/example.h"
#include "train/recipes/task_passes.h"
#include "train/task.h"

namespace bertha {

/// A label with its probability; `scores` of all labels, each by itself where an example may have several.
struct PredictedLabel {
  int32_t label = 0;
  double score = 0;
  std::vector<double> scores;
};
PredictedLabel predict_label(std::span<const float> logits);
/// Every label by itself: its score is its own probability.
std::vector<double> predict_labels(std::span<const float> logits);

/// Each labelled row's most probable tag and its probability; logits (rows, tags).
struct PredictedTag {
  int32_t tag = 0;
  double score = 0;
};
std::vector<PredictedTag> predict_tags(std::span<const float> logits, int64_t tags);

/// An answer in a context, in code points; an empty range: there is none.
struct PredictedAnswer {
  CodePoints place;
  double logits = 0;  // of start and end, added: what windows are compared by
  double score = 0;   // their probabilities, multiplied
};

/// The best spans of a question's windows, best first, no two the same: up to kMaxAnswerTokens long, start before end,
/// both in the context. Where a question may be `unanswerable`, "no answer" competes with the score of the first token.
/// Source: Devlin et al. 2018 (arXiv:1810.04805) §4.2 and §4.3.
inline constexpr int64_t kMaxAnswerTokens = 30;
enum class Unanswerable { kNo, kYes };
std::vector<PredictedAnswer> predict_answers(std::span<const TaskExample> windows, std::span<const TaskOutputs> outputs,
                                             int64_t most, Unanswerable unanswerable);

/// The part of a text at a place.
std::string text_at(std::string_view text, CodePoints place);

}  // namespace bertha
