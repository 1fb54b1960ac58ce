#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/inspect/run_evidence.h"

namespace bertha {

/// What a look at a run's numbers suggests.
struct Advice {
  std::string id;                                       // stays the same between versions
  std::string finding;                                  // a sentence
  std::vector<std::pair<std::string, double>> figures;  // what it rests on
  std::string suggestion;
};

/// What there is to say, in the order in which it should be looked at: text first, then the curve, then speed. Silent
/// about whatever the evidence does not reach.
std::vector<Advice> advice_on(const RunEvidence& evidence);

// One function for each; nothing where its condition is not met. Their thresholds are in docs/inspection.md.

std::optional<Advice> unknown_words(const RunEvidence& evidence);
std::optional<Advice> repeated_text(const RunEvidence& evidence);
std::optional<Advice> unseen_tokens(const RunEvidence& evidence);

std::optional<Advice> unigram_plateau(const RunEvidence& evidence);
std::optional<Advice> most_frequent_token(const RunEvidence& evidence);
std::optional<Advice> overfitting(const RunEvidence& evidence);

std::optional<Advice> loss_spikes(const RunEvidence& evidence);
std::optional<Advice> diverging(const RunEvidence& evidence);
std::optional<Advice> gradients_growing(const RunEvidence& evidence);
std::optional<Advice> clipped_steps(const RunEvidence& evidence);
std::optional<Advice> no_warmup(const RunEvidence& evidence);
std::optional<Advice> still_warming_up(const RunEvidence& evidence);
std::optional<Advice> low_learning_rate(const RunEvidence& evidence);
std::optional<Advice> high_learning_rate(const RunEvidence& evidence);

std::optional<Advice> slower_steps(const RunEvidence& evidence);
std::optional<Advice> much_communication(const RunEvidence& evidence);

}  // namespace bertha
