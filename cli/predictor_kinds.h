#pragma once

#include <optional>
#include <string_view>

#include "autograd/core/error.h"
#include "cli/predictors.h"
#include "train/model_description.h"

namespace bertha {

// What the kinds of predictors have in common, and who makes them.

/// Candidates for a mask, or lines found, where nobody says how many.
inline constexpr int64_t kDefaultCandidates = 5;

/// Throws ConfigError where the input has fewer texts than `wanted`; `what` says which it needs.
inline void check_texts(const PredictInput& input, size_t wanted, std::string_view what) {
  check<ConfigError>(input.size() >= wanted, "input: ", what, " (on the command line, or parted by tabs on a line)");
}

/// The second text, where there is one.
inline std::optional<std::string_view> pair_of(const PredictInput& input) {
  return input.size() > 1 ? std::optional<std::string_view>(input[1]) : std::nullopt;
}

/// A predictor whose replies are all in their JSON. `Json` is nlohmann's ordered_json, which only .cpp files include.
template <class Json>
class JsonPredictor : public Predictor {
 public:
  std::vector<Reply> predict(std::span<const PredictInput> inputs) final {
    std::vector<Reply> replies;
    for (const Json& answer : answer_all(inputs)) {
      // A text that was cut within a character must not end the program.
      replies.push_back({answer.dump(-1, ' ', false, Json::error_handler_t::replace), describe(answer)});
    }
    return replies;
  }

 protected:
  virtual std::vector<Json> answer_all(std::span<const PredictInput> inputs) = 0;
  virtual std::string describe(const Json& answer) const = 0;
};

/// By the heads of pretraining: kFillMask and kNextSentence.
std::unique_ptr<Predictor> make_pretraining_predictor(const PredictOptions& options, Task task);

/// By the head that the model was fine-tuned with.
std::unique_ptr<Predictor> make_task_predictor(const PredictOptions& options, const ModelDescription& description);

/// By hidden states: kEmbedding and kSimilarity.
std::unique_ptr<Predictor> make_vector_predictor(const PredictOptions& options, const ModelDescription& description,
                                                 Task task);

}  // namespace bertha
