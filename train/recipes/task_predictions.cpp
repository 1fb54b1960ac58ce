#include "train/recipes/task_predictions.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "data/utf8.h"

namespace bertha {
namespace {

constexpr size_t kConsideredEnds = 20;  // the best starts and ends of a window

std::vector<double> softmax(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> p;
  double sum = 0;
  for (const float logit : logits) sum += p.emplace_back(std::exp(logit - largest));
  for (double& share : p) share /= sum;
  return p;
}

// Rows in the order of falling values.
std::vector<int32_t> best_rows(std::span<const float> values, std::span<const int32_t> rows) {
  std::vector<int32_t> best(rows.begin(), rows.end());
  const size_t count = std::min(kConsideredEnds, best.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<int64_t>(count), best.end(), [&](int32_t a, int32_t b) {
    const float left = values[static_cast<size_t>(a)];
    const float right = values[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  });
  best.resize(count);
  return best;
}

// The logits of one window, apart.
struct Ends {
  std::vector<float> starts, ends;

  explicit Ends(const TaskOutputs& outputs) {
    for (size_t i = 0; i + 1 < outputs.size(); i += 2) {
      starts.push_back(outputs[i]);
      ends.push_back(outputs[i + 1]);
    }
  }
};

void add_spans(const TaskExample& window, const Ends& logits, std::vector<PredictedAnswer>& answers) {
  std::vector<int32_t> context;
  for (int32_t row = 0; row < std::ssize(window.offsets); ++row) {
    const CodePoints token = window.offsets[static_cast<size_t>(row)];
    if (token.begin < token.end) context.push_back(row);
  }
  if (context.empty()) return;
  const std::vector<double> start_shares = softmax(logits.starts);
  const std::vector<double> end_shares = softmax(logits.ends);
  const std::vector<int32_t> ends = best_rows(logits.ends, context);
  for (const int32_t start : best_rows(logits.starts, context)) {
    for (const int32_t end : ends) {
      if (end < start || end - start >= kMaxAnswerTokens) continue;
      const auto s = static_cast<size_t>(start);
      const auto e = static_cast<size_t>(end);
      answers.push_back({{window.offsets[s].begin, window.offsets[e].end},
                         double{logits.starts[s]} + logits.ends[e],
                         start_shares[s] * end_shares[e]});
    }
  }
}

}  // namespace

PredictedLabel predict_label(std::span<const float> logits) {
  PredictedLabel result;
  result.scores = softmax(logits);
  result.label = static_cast<int32_t>(std::ranges::max_element(result.scores) - result.scores.begin());
  result.score = result.scores[static_cast<size_t>(result.label)];
  return result;
}

std::vector<double> predict_labels(std::span<const float> logits) {
  std::vector<double> scores;
  for (const float logit : logits) scores.push_back(1 / (1 + std::exp(-double{logit})));
  return scores;
}

std::vector<PredictedTag> predict_tags(std::span<const float> logits, int64_t tags) {
  std::vector<PredictedTag> result;
  for (size_t row = 0; row < logits.size(); row += static_cast<size_t>(tags)) {
    const PredictedLabel best = predict_label(logits.subspan(row, static_cast<size_t>(tags)));
    result.push_back({best.label, best.score});
  }
  return result;
}

std::vector<PredictedAnswer> predict_answers(std::span<const TaskExample> windows, std::span<const TaskOutputs> outputs,
                                             int64_t most, Unanswerable unanswerable) {
  std::vector<PredictedAnswer> answers;
  std::optional<PredictedAnswer> none;
  for (size_t w = 0; w < windows.size(); ++w) {
    const Ends logits(outputs[w]);
    add_spans(windows[w], logits, answers);
    const double null_logits = double{logits.starts[0]} + logits.ends[0];
    // A question has no answer only if it has none in any window.
    if (!none || null_logits < none->logits) {
      none = PredictedAnswer{{}, null_logits, softmax(logits.starts)[0] * softmax(logits.ends)[0]};
    }
  }
  if (none && (unanswerable == Unanswerable::kYes || answers.empty())) answers.push_back(*none);
  std::ranges::stable_sort(answers, std::ranges::greater{}, &PredictedAnswer::logits);
  std::vector<PredictedAnswer> best;
  for (const PredictedAnswer& answer : answers) {
    if (std::ssize(best) == most) break;
    if (std::ranges::count(best, answer.place, &PredictedAnswer::place) == 0) best.push_back(answer);
  }
  return best;
}

std::string text_at(std::string_view text, CodePoints place) {
  const auto skip = [&text](int64_t code_points) {
    size_t at = 0;
    for (; code_points > 0 && at < text.size(); --code_points) {
      at += static_cast<size_t>(std::max(1, decode_utf8(text.substr(at)).bytes));
    }
    return at;
  };
  text.remove_prefix(skip(place.begin));
  return std::string(text.substr(0, skip(place.end - place.begin)));
}

}  // namespace bertha
