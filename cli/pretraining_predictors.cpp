#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/predictor_kinds.h"
#include "train/model_directory.h"
#include "train/recipes/fill_mask.h"
#include "train/recipes/text_batch.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;
using Answers = std::vector<ordered_json>;

class PretrainingPredictor : public JsonPredictor<ordered_json> {
 public:
  explicit PretrainingPredictor(const PredictOptions& options)
      : model_(read_model(options.model)), tokenizer_(read_tokenizer(options.model, model_->config())) {}

 protected:
  const BertForPretraining& model() const { return *model_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  // Nothing is cut: a mask, or all that follows, might be in what is missing.
  Encoding encode(const PredictInput& input) const {
    Encoding encoding = tokenizer_->encode(input[0], pair_of(input), {});
    check_length(encoding, model_->config());
    return encoding;
  }

 private:
  std::unique_ptr<BertForPretraining> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

class MaskPredictor : public PretrainingPredictor {
 public:
  explicit MaskPredictor(const PredictOptions& options)
      : PretrainingPredictor(options), top_k_(options.top_k.value_or(kDefaultCandidates)) {}

  void add(const PredictInput& input) override {
    check_texts(input, {1, 2}, "fill_mask needs one text, or a pair");
    Encoding text = encode(input);
    check<ConfigError>(std::ranges::count(text.ids, mask()) > 0, "text: holds no ", tokenizer().token(mask()),
                       " to fill");
    texts_.push_back(std::move(text));
  }

  Answers answer_all() override {
    Answers answers;
    for (const auto& masks : fill_masks(model(), std::exchange(texts_, {}), mask(), top_k_)) {
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
  int32_t mask() const { return tokenizer().specials().mask; }
  ordered_json list(const std::vector<Candidate>& candidates) const {
    ordered_json list = ordered_json::array();
    for (const Candidate& candidate : candidates) {
      list.push_back({{"token", name(candidate.id)}, {"id", candidate.id}, {"score", candidate.score}});
    }
    return list;
  }
  // A model may have more rows than the vocabulary has tokens.
  std::string name(int32_t id) const {
    return id < tokenizer().size() ? tokenizer().token(id) : fmt::format("[unused {}]", id);
  }
  static std::string table(const ordered_json& candidates) {
    std::string text;
    for (const ordered_json& candidate : candidates) {
      text += fmt::format("{:<20} {:.4f}\n", candidate["token"].get<std::string>(), candidate["score"].get<double>());
    }
    return text + "\n";
  }

  int64_t top_k_;
  std::vector<Encoding> texts_;
};

class NextSentencePredictor : public PretrainingPredictor {
 public:
  using PretrainingPredictor::PretrainingPredictor;

  void add(const PredictInput& input) override {
    check_texts(input, {2, 2}, "next_sentence needs two texts");
    pairs_.push_back(encode(input));
  }

  Answers answer_all() override {
    Answers answers;
    for (const double score : next_sentence_probabilities(model(), std::exchange(pairs_, {}))) {
      answers.push_back({{"is_next", score >= 0.5}, {"score", score}});
    }
    return answers;
  }

  std::string describe(const ordered_json& answer) const override {
    return fmt::format("{} {:.4f}\n", answer["is_next"].get<bool>() ? "is_next" : "not_next",
                       answer["score"].get<double>());
  }

 private:
  std::vector<Encoding> pairs_;
};

}  // namespace

std::unique_ptr<Predictor> make_pretraining_predictor(const PredictOptions& options, Task task) {
  if (task == Task::kNextSentence) return std::make_unique<NextSentencePredictor>(options);
  return std::make_unique<MaskPredictor>(options);
}

}  // namespace bertha
