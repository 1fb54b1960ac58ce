#include "train/inspect/advice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/core/random.h"

namespace bertha {
namespace {

using Ids = std::vector<std::string>;

Ids ids_of(const RunEvidence& evidence) {
  Ids ids;
  for (const Advice& advice : advice_on(evidence)) {
    ids.push_back(advice.id);
    EXPECT_FALSE(advice.finding.empty());
    EXPECT_FALSE(advice.suggestion.empty());
    EXPECT_FALSE(advice.figures.empty()) << advice.id << " rests on nothing";
    for (const auto& [name, value] : advice.figures) EXPECT_TRUE(std::isfinite(value)) << advice.id << " " << name;
  }
  return ids;
}

double figure(const RunEvidence& evidence, const std::string& name) {
  for (const Advice& advice : advice_on(evidence)) {
    for (const auto& [one, value] : advice.figures) {
      if (one == name) return value;
    }
  }
  return NAN;
}

constexpr int64_t kSteps = 400, kWarmup = 40;

PretrainConfig pretraining() {
  PretrainConfig config;
  config.training.steps = kSteps;
  config.training.warmup_steps = kWarmup;
  config.training.learning_rate = 1e-3;
  config.training.clip_grad_norm = 1;
  return config;
}

/// A pretraining run of which there is nothing to say.
RunEvidence healthy() {
  RunEvidence evidence{.configuration = {"", pretraining(), {}}};
  RandomStream noise(3, "advice");
  for (int64_t step = 1; step <= kSteps; ++step) {
    const double progress = static_cast<double>(step) / kSteps;
    const double loss = 4 + 4 * std::exp(-3 * progress) + 0.05 * noise.uniform();
    const double rate = step < kWarmup ? 1e-3 * static_cast<double>(step) / kWarmup : 1e-3 * (1 - progress);
    evidence.history.steps.push_back({.step = step,
                                      .loss = loss,
                                      .mlm_loss = loss,
                                      .mlm_accuracy = 0.05 + 0.3 * progress,
                                      .learning_rate = rate,
                                      .grad_norm = 0.6 + 0.2 * noise.uniform(),
                                      .tokens_per_s = 1000 + 50 * noise.uniform(),
                                      .communication_share = 0.05 * noise.uniform()});
    if (step % 50 == 0) evidence.history.evaluations.push_back({"evaluation", step, {{"loss", loss + 0.1}}});
  }
  evidence.unigram = UnigramEvidence{.entropy = 6.5, .most_frequent_share = 0.05};
  evidence.text = TextEvidence{.ordinary = 1000, .unseen = 10, .unknown_share = 0.001, .repeated_share = 0.01};
  evidence.embeddings = EmbeddingEvidence{0.05, 0.02};
  return evidence;
}

std::vector<TrainStep>& steps_of(RunEvidence& evidence) {
  return evidence.history.steps;
}

TEST(Advice, IsSilentWhereAllIsWell) {
  EXPECT_EQ(ids_of(healthy()), Ids{});
}

TEST(Advice, IsSilentWhereNothingIsKnown) {
  EXPECT_EQ(ids_of({.configuration = {"", pretraining(), {}}}), Ids{});
  FinetuneConfig finetuning;
  finetuning.training.learning_rate = 2e-5;
  EXPECT_EQ(ids_of({.configuration = {"", {}, finetuning}}), Ids{});
}

TEST(Advice, FindsUnknownWords) {
  RunEvidence evidence = healthy();
  evidence.text->unknown_share = 0.03;
  EXPECT_EQ(ids_of(evidence), Ids{"unknown_words"});
  EXPECT_EQ(figure(evidence, "unknown_share"), 0.03);
  evidence.text->unknown_share.reset();
  EXPECT_EQ(ids_of(evidence), Ids{});
}

TEST(Advice, FindsRepeatedText) {
  RunEvidence evidence = healthy();
  evidence.text->repeated_share = 0.3;
  EXPECT_EQ(ids_of(evidence), Ids{"repeated_text"});
}

TEST(Advice, FindsTokensThatNeverOccur) {
  RunEvidence evidence = healthy();
  evidence.text->unseen = 400;
  EXPECT_EQ(ids_of(evidence), Ids{"unseen_tokens"});
  EXPECT_EQ(figure(evidence, "unseen_share"), 0.4);
  EXPECT_EQ(figure(evidence, "std_of_unseen_embeddings"), 0.02);
}

TEST(Advice, FindsTheUnigramPlateau) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) step.loss = step.mlm_loss = std::max(6.45, step.mlm_loss);
  EXPECT_EQ(ids_of(evidence), Ids{"unigram_plateau"});
  EXPECT_EQ(figure(evidence, "unigram_entropy"), 6.5);
}

TEST(Advice, ALossThatStillFallsIsOnNoPlateau) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) {
    step.loss = step.mlm_loss = 9 - 2.5 * static_cast<double>(step.step) / kSteps;
  }
  EXPECT_EQ(ids_of(evidence), Ids{}) << "it is only on its way";
}

TEST(Advice, FindsThatTheMostFrequentTokenIsAlwaysTheAnswer) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) step.mlm_accuracy = 0.0502;
  EXPECT_EQ(ids_of(evidence), Ids{"most_frequent_token"});
}

TEST(Advice, FindsSpikes) {
  RunEvidence evidence = healthy();
  steps_of(evidence)[150].loss *= 2;
  steps_of(evidence)[250].grad_norm = 50;
  EXPECT_EQ(ids_of(evidence), Ids{}) << "two are no sign";
  steps_of(evidence)[350].skipped = true;
  EXPECT_EQ(ids_of(evidence), Ids{"loss_spikes"});
  EXPECT_EQ(figure(evidence, "spikes"), 3);
  EXPECT_EQ(figure(evidence, "newest_step"), 351);
}

TEST(Advice, FindsADivergence) {
  RunEvidence evidence = healthy();
  for (size_t i = 300; i < kSteps; ++i) steps_of(evidence)[i].loss += 0.01 * static_cast<double>(i - 300);
  evidence.history.evaluations.clear();
  EXPECT_EQ(ids_of(evidence), Ids{"diverging"});
  EXPECT_EQ(figure(evidence, "step_of_lowest"), 320);
}

TEST(Advice, FindsGrowingGradients) {
  RunEvidence evidence = healthy();
  evidence.configuration.pretraining->training.clip_grad_norm = 0;
  for (TrainStep& step : steps_of(evidence)) step.grad_norm *= std::exp(static_cast<double>(step.step) / 100);
  EXPECT_EQ(ids_of(evidence), Ids{"gradients_growing"});
}

TEST(Advice, FindsClippedSteps) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) step.grad_norm += 1;
  EXPECT_EQ(ids_of(evidence), Ids{"clipped_steps"});
  EXPECT_EQ(figure(evidence, "clipped_share"), 1);
  evidence.configuration.pretraining->training.clip_grad_norm = 0;
  EXPECT_EQ(ids_of(evidence), Ids{}) << "no clipping";
}

TEST(Advice, FindsARunWithoutWarmup) {
  RunEvidence evidence = healthy();
  evidence.configuration.pretraining->training.warmup_steps = 0;
  for (TrainStep& step : steps_of(evidence)) step.learning_rate = 1e-3;
  EXPECT_EQ(ids_of(evidence), Ids{"no_warmup"});
  evidence.configuration.pretraining->model.initialize_from = "model";
  EXPECT_EQ(ids_of(evidence), Ids{}) << "trained weights bear it";
}

TEST(Advice, FindsARunWithinItsWarmup) {
  RunEvidence evidence = healthy();
  steps_of(evidence).resize(30);
  evidence.history.evaluations.clear();
  EXPECT_EQ(ids_of(evidence), Ids{"still_warming_up"});
  steps_of(evidence).resize(1);
  EXPECT_EQ(ids_of(evidence), Ids{"still_warming_up"}) << "its only rate is the highest";
  evidence.configuration.pretraining->training.warmup_steps.reset();
  evidence.configuration.pretraining->training.steps.reset();
  EXPECT_EQ(ids_of(evidence), Ids{}) << "nobody knows how long it is";
}

TEST(Advice, FindsALowLearningRate) {
  RunEvidence evidence = healthy();
  evidence.configuration.pretraining->training.learning_rate = 1e-6;
  EXPECT_EQ(ids_of(evidence), Ids{"low_learning_rate"});
}

double& peak_of(RunEvidence& evidence) {
  return evidence.configuration.pretraining->training.learning_rate;
}

TEST(Advice, AHighLearningRateAloneIsNoFault) {
  RunEvidence evidence = healthy();
  peak_of(evidence) = 1;
  EXPECT_EQ(ids_of(evidence), Ids{});
}

TEST(Advice, FindsAHighLearningRateByALossThatIsNoLowerThanAtTheStart) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) step.loss = step.step == 1 ? 8 : 8.05;
  EXPECT_EQ(ids_of(evidence), Ids{});
  peak_of(evidence) = 0.006;
  EXPECT_EQ(ids_of(evidence), Ids{"high_learning_rate"});
  EXPECT_EQ(figure(evidence, "first_loss"), 8);
  steps_of(evidence).erase(steps_of(evidence).begin());
  EXPECT_EQ(ids_of(evidence), Ids{}) << "nobody knows what it was";
}

TEST(Advice, FindsAHighLearningRateBySpikes) {
  RunEvidence evidence = healthy();
  for (const size_t i : {150u, 250u, 350u}) steps_of(evidence)[i].loss *= 2;
  peak_of(evidence) = 0.01;
  EXPECT_EQ(ids_of(evidence), (Ids{"loss_spikes", "high_learning_rate"}));
}

bool advises(const RunEvidence& evidence, const std::string& words) {
  return std::ranges::any_of(advice_on(evidence),
                             [&](const Advice& advice) { return advice.suggestion.find(words) != std::string::npos; });
}

TEST(Advice, OnAPlateauALearningRateIsToRiseOrToFallByItsHeight) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) step.loss = step.mlm_loss = std::max(6.45, step.mlm_loss);
  const auto directions = [&](double peak) {
    peak_of(evidence) = peak;
    return std::pair(advises(evidence, "a higher learning rate"), advises(evidence, "a lower learning rate"));
  };
  EXPECT_EQ(directions(5e-4), std::pair(true, false));
  EXPECT_EQ(directions(2e-3), std::pair(false, false));
  EXPECT_EQ(directions(0.05), std::pair(false, true));
  EXPECT_EQ(ids_of(evidence), (Ids{"unigram_plateau", "high_learning_rate"}));
  for (const size_t i : {150u, 250u, 350u}) steps_of(evidence)[i].skipped = true;
  EXPECT_EQ(directions(5e-4), std::pair(false, true)) << "spikes ask for a lower one";
}

TEST(Advice, FindsOverfitting) {
  RunEvidence evidence = healthy();
  for (size_t i = 4; i < evidence.history.evaluations.size(); ++i) {
    evidence.history.evaluations[i].values[0].second = 5 + 0.1 * static_cast<double>(i);
  }
  evidence.history.evaluations[3].values[0].second = 4.9;
  EXPECT_EQ(ids_of(evidence), Ids{"overfitting"});
  EXPECT_EQ(figure(evidence, "step_of_best"), 200);
  evidence.history.evaluations.resize(5);
  EXPECT_EQ(ids_of(evidence), Ids{}) << "one worse evaluation is no sign";
}

TEST(Advice, AnEvaluationThatIsNotFiniteIsNotTheBest) {
  RunEvidence evidence = healthy();
  evidence.history.evaluations[1].values[0].second = NAN;
  EXPECT_EQ(ids_of(evidence), Ids{});
  evidence.history.evaluations[0].values[0].second = NAN;
  evidence.history.evaluations[2].values[0].second = 4;
  EXPECT_EQ(figure(evidence, "step_of_best"), 150);
}

TEST(Advice, FindsOverfittingInFinetuningByWhatDecides) {
  RunEvidence evidence = healthy();
  FinetuneConfig finetuning;
  finetuning.training.learning_rate = 2e-5;
  evidence.configuration = {"", {}, finetuning};
  evidence.unigram.reset();
  evidence.text.reset();
  for (auto& line : evidence.history.evaluations) {
    line.values = {{"accuracy", line.step <= 200 ? 0.9 : 0.8}};
  }
  EXPECT_EQ(ids_of(evidence), Ids{"overfitting"});
  EXPECT_EQ(figure(evidence, "best_accuracy"), 0.9);
  for (auto& line : evidence.history.evaluations)
    line.values = {{"accuracy", 0.8 + 1e-4 * static_cast<double>(line.step)}};
  EXPECT_EQ(ids_of(evidence), Ids{});
}

TEST(Advice, FindsStepsThatBecameSlow) {
  RunEvidence evidence = healthy();
  for (size_t i = 350; i < kSteps; ++i) steps_of(evidence)[i].tokens_per_s /= 2;
  EXPECT_EQ(ids_of(evidence), Ids{"slower_steps"});
}

TEST(Advice, FindsMuchCommunication) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) step.communication_share += 0.3;
  EXPECT_EQ(ids_of(evidence), Ids{"much_communication"});
}

TEST(Advice, SaysNothingOfAShortRun) {
  RunEvidence evidence = healthy();
  for (TrainStep& step : steps_of(evidence)) {
    step.mlm_loss = 9;
    step.mlm_accuracy = 0;
    step.grad_norm = 50;
    step.communication_share = 0.9;
  }
  steps_of(evidence).resize(99);
  EXPECT_EQ(ids_of(evidence), Ids{});
}

TEST(Advice, OfNumbersThatAreNotFiniteIsSpikes) {
  RunEvidence evidence = healthy();
  for (const size_t i : {100u, 200u, 300u}) steps_of(evidence)[i].loss = NAN;
  EXPECT_EQ(ids_of(evidence), Ids{"loss_spikes"});
}

}  // namespace
}  // namespace bertha
