#include <fmt/format.h>

#include "train/inspect/advice.h"
#include "train/inspect/step_windows.h"

namespace bertha {
namespace {

// Published vocabularies leave well below 1 % of their language's words unknown.
constexpr double kMuchUnknown = 0.01;
constexpr double kMuchRepeated = 0.1;
constexpr double kMuchUnseen = 0.1;
// Nats within which a loss is the entropy, and less than which a window of steps brings no progress.
constexpr double kNearEntropy = 0.1, kNoProgress = 0.05;
constexpr double kNearFrequency = 0.005;
constexpr double kRoomAbove = 1e-3;  // peak learning rates that may well be higher

// Of a pretraining run behind its warm-up, long enough to judge.
std::optional<Steps> judged_steps(const RunEvidence& evidence) {
  const Steps steps = warm(evidence);
  if (!evidence.unigram || steps.size() < kLeastSteps) return std::nullopt;
  return steps;
}

// As long as no other advice is a lower one.
bool bears_a_higher_rate(const RunEvidence& evidence) {
  return evidence.configuration.training().learning_rate < kRoomAbove && !loss_spikes(evidence) &&
         !diverging(evidence) && !gradients_growing(evidence);
}

}  // namespace

std::optional<Advice> unknown_words(const RunEvidence& evidence) {
  if (!evidence.text || !(evidence.text->unknown_share > kMuchUnknown)) return std::nullopt;
  const double share = *evidence.text->unknown_share;
  return Advice{"unknown_words",
                fmt::format("{:.1f} % of the text is [UNK]: the model never sees these words", 100 * share),
                {{"unknown_share", share}},
                "learn a vocabulary from this text, or check that case and language are those of the vocabulary"};
}

std::optional<Advice> repeated_text(const RunEvidence& evidence) {
  if (!evidence.text || evidence.text->repeated_share <= kMuchRepeated) return std::nullopt;
  const double share = evidence.text->repeated_share;
  return Advice{"repeated_text",
                fmt::format("{:.0f} % of the passages of a dozen tokens have occurred before", 100 * share),
                {{"repeated_share", share}},
                "remove duplicated lines and documents (files that are listed twice, headers, licences)"};
}

std::optional<Advice> unseen_tokens(const RunEvidence& evidence) {
  if (!evidence.text || evidence.text->ordinary == 0) return std::nullopt;
  const int64_t ordinary = evidence.text->ordinary, unseen = evidence.text->unseen;
  const double share = static_cast<double>(unseen) / static_cast<double>(ordinary);
  if (share <= kMuchUnseen) return std::nullopt;
  Advice advice{"unseen_tokens",
                fmt::format("{} of {} tokens never occur in the text: their embeddings learn only not to be predicted",
                            unseen, ordinary),
                {{"unseen_tokens", static_cast<double>(unseen)}, {"unseen_share", share}},
                "a smaller vocabulary, learnt from this text, or more text"};
  if (evidence.embeddings) {
    advice.figures.emplace_back("std_of_unseen_embeddings", evidence.embeddings->unseen);
    advice.figures.emplace_back("std_of_seen_embeddings", evidence.embeddings->seen);
  }
  return advice;
}

std::optional<Advice> unigram_plateau(const RunEvidence& evidence) {
  const auto steps = judged_steps(evidence);
  if (!steps) return std::nullopt;
  const double loss = mean_of(recent(*steps), &TrainStep::mlm_loss);
  const double before = mean_of(before_recent(*steps), &TrainStep::mlm_loss);
  const double entropy = evidence.unigram->entropy;
  if (!(loss > entropy - kNearEntropy && before - loss < kNoProgress)) return std::nullopt;
  return Advice{
      "unigram_plateau",
      fmt::format("the masked-LM loss stands at {:.3f}; knowing how often tokens occur, and nothing else, "
                  "gives {:.3f}",
                  loss, entropy),
      {{"mlm_loss", loss}, {"mlm_loss_before", before}, {"unigram_entropy", entropy}},
      fmt::format("most runs leave this plateau with more steps; else {}a larger batch, or a look at the text",
                  bears_a_higher_rate(evidence) ? "a higher learning rate, " : "")};
}

std::optional<Advice> most_frequent_token(const RunEvidence& evidence) {
  const auto steps = judged_steps(evidence);
  if (!steps) return std::nullopt;
  const double accuracy = mean_of(recent(*steps), &TrainStep::mlm_accuracy);
  const double share = evidence.unigram->most_frequent_share;
  if (!(accuracy < share + kNearFrequency)) return std::nullopt;
  return Advice{"most_frequent_token",
                fmt::format("masked accuracy is {:.2f} %; always answering with the most frequent token reaches "
                            "{:.2f} %",
                            100 * accuracy, 100 * share),
                {{"mlm_accuracy", accuracy}, {"most_frequent_share", share}},
                "the model does not read its input yet: more steps, or a look at learning rate and masking"};
}

}  // namespace bertha
