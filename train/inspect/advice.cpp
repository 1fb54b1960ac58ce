#include "train/inspect/advice.h"

namespace bertha {
namespace {

constexpr std::optional<Advice> (*kAdvice[])(const RunEvidence& evidence) = {
    unknown_words,     repeated_text,      unseen_tokens,     unigram_plateau,   most_frequent_token, overfitting,
    loss_spikes,       diverging,          gradients_growing, clipped_steps,     no_warmup,           still_warming_up,
    low_learning_rate, high_learning_rate, slower_steps,      much_communication};

}  // namespace

std::vector<Advice> advice_on(const RunEvidence& evidence) {
  std::vector<Advice> all;
  for (const auto& advise : kAdvice) {
    if (auto advice = advise(evidence)) all.push_back(std::move(*advice));
  }
  return all;
}

}  // namespace bertha
