#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/predictor_kinds.h"
#include "train/model_directory.h"
#include "train/recipes/fill_mask.h"

namespace bertha {
namespace {

using nlohmann::ordered_json;
using Answers = std::vector<ordered_json>;
using Inputs = std::span<const PredictInput>;

std::vector<Encoding> encode_whole(const Tokenizer& tokenizer, Inputs inputs) {
  std::vector<Encoding> encodings;
  for (const PredictInput& input : inputs) encodings.push_back(tokenizer.encode(input[0], pair_of(input), {}));
  return encodings;
}

class MaskPredictor : public JsonPredictor<ordered_json> {
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

class NextSentencePredictor : public JsonPredictor<ordered_json> {
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

}  // namespace

std::unique_ptr<Predictor> make_pretraining_predictor(const PredictOptions& options, Task task) {
  if (task == Task::kNextSentence) return std::make_unique<NextSentencePredictor>(options);
  return std::make_unique<MaskPredictor>(options);
}

}  // namespace bertha
