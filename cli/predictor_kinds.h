#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "autograd/core/error.h"
#include "cli/predictors.h"
#include "train/model_description.h"

namespace bertha {

// What the kinds of predictors have in common, and who makes them.

/// Candidates for a mask, or lines found, where nobody says how many.
inline constexpr int64_t kDefaultCandidates = 5;

/// How many texts an input may have.
struct TextCount {
  size_t least = 1, most = 1;
};

/// Throws ConfigError for an input of another number of texts; `need` says which there should be.
inline void check_texts(const PredictInput& input, TextCount count, std::string_view need) {
  check<ConfigError>(input.size() >= count.least && input.size() <= count.most, "input: ", input.size(),
                     input.size() == 1 ? " text (" : " texts (", need, "; tabs part the texts of a line)");
}

/// The second text, where there is one.
inline std::optional<std::string_view> pair_of(const PredictInput& input) {
  return input.size() > 1 ? std::optional<std::string_view>(input[1]) : std::nullopt;
}

/// Counts texts, and those of them that were too long for the model.
class CutTexts {
 public:
  void add(bool cut) {
    ++texts_;
    cut_ += cut;
  }

  /// A sentence, or nothing where all were read whole.
  std::string note(int64_t tokens) const {
    if (cut_ == 0) return {};
    return std::to_string(cut_) + " of " + std::to_string(texts_) + " texts were cut to fit into " +
           std::to_string(tokens) + " tokens";
  }

 private:
  int64_t texts_ = 0, cut_ = 0;
};

/// A predictor whose replies are all in their JSON. `Json` is nlohmann's ordered_json, which only .cpp files include.
template <class Json>
class JsonPredictor : public Predictor {
 public:
  std::vector<Reply> answer() final {
    std::vector<Reply> replies;
    for (const Json& answer : answer_all()) {
      // A text that was cut within a character must not end the program.
      replies.push_back({answer.dump(-1, ' ', false, Json::error_handler_t::replace), describe(answer)});
    }
    return replies;
  }

 protected:
  virtual std::vector<Json> answer_all() = 0;
  virtual std::string describe(const Json& answer) const = 0;
};

/// By the heads of pretraining: kFillMask and kNextSentence.
std::unique_ptr<Predictor> make_pretraining_predictor(const PredictOptions& options, Task task);

/// By the head that the model was fine-tuned with.
std::unique_ptr<Predictor> make_task_predictor(const PredictOptions& options, ModelDescription description);

/// By hidden states: kEmbedding and kSimilarity.
std::unique_ptr<Predictor> make_vector_predictor(const PredictOptions& options, const ModelDescription& description,
                                                 Task task);

}  // namespace bertha
