#include "train/recipes/task_decisions.h"

namespace bertha {

std::vector<PredictedLabel> decide_labels(const TaskSet& set, std::span<const TaskOutputs> outputs,
                                          std::optional<int64_t> logits) {
  std::vector<PredictedLabel> decided;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if ((*set.examples)[i].item < std::ssize(decided)) continue;
    const auto numbers = std::span<const float>(outputs[i]);
    decided.push_back(predict_label(logits ? numbers.first(static_cast<size_t>(*logits)) : numbers));
  }
  return decided;
}

std::vector<DecidedTags> decide_tags(const TaskSet& set, std::span<const TaskOutputs> outputs,
                                     std::span<const std::string> tags, int64_t other_logits) {
  std::vector<DecidedTags> decided;
  for (const TaggedSentence& sentence : set.sentences) {
    const size_t words = sentence.words.size();
    decided.push_back({std::vector<std::string>(words, "O"), std::vector<double>(words, 1)});
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const TaskExample& example = (*set.examples)[i];
    const auto logits = std::span<const float>(outputs[i]).subspan(static_cast<size_t>(other_logits));
    const std::vector<PredictedTag> best = predict_tags(logits, std::ssize(tags));
    DecidedTags& sentence = decided[static_cast<size_t>(example.item)];
    for (size_t row = 0; row < best.size(); ++row) {
      const auto word = static_cast<size_t>(example.words[row]);
      sentence.tags[word] = tags[static_cast<size_t>(best[row].tag)];
      sentence.scores[word] = best[row].score;
    }
  }
  return decided;
}

std::vector<PredictedAnswer> decide_answers(const TaskSet& set, std::span<const TaskOutputs> outputs,
                                            Unanswerable unanswerable) {
  const std::vector<TaskExample>& windows = *set.examples;
  std::vector<PredictedAnswer> decided;
  for (size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    while (end < windows.size() && windows[end].item == windows[begin].item) ++end;
    const size_t count = end - begin;
    decided.push_back(
        predict_answers(std::span(windows).subspan(begin, count), outputs.subspan(begin, count), 1, unanswerable)
            .front());
  }
  return decided;
}

}  // namespace bertha
