#include "train/recipes/pretraining_evaluation.h"

#include <cmath>

#include "data/micro_slices.h"
#include "train/phase.h"
#include "train/recipes/pretraining_batch.h"

namespace bertha {
namespace {

constexpr size_t kNumbers = 6;  // what one slice contributes to the exchange

void write_sums(const PretrainingLosses& losses, std::span<double, kNumbers> out) {
  size_t at = 0;
  for (const LossSums& sums : {losses.mlm, losses.next_sentence}) {
    out[at++] = sums.loss;
    out[at++] = static_cast<double>(sums.labels);
    out[at++] = static_cast<double>(sums.correct);
  }
}

LossSums read_sums(std::span<const double, 3> numbers) {
  return {numbers[0], static_cast<int64_t>(numbers[1]), static_cast<int64_t>(numbers[2])};
}

}  // namespace

PretrainingLosses evaluate_pretraining(
    const BertForPretraining& model, const EvaluationBatches& batches, Communicator& communicator,
    const std::function<void(const PackedBatch& batch, std::span<const double> mlm_rows)>& on_batch) {
  enter(Phase::kEvaluation);
  const IndexRange local = rank_share(batches.slices(), communicator.rank(), communicator.size());
  std::vector<double> numbers(static_cast<size_t>(batches.slices()) * kNumbers);
  for (int64_t slice = local.begin; slice < local.end; ++slice) {
    const PackedBatch batch = batches.at(slice);
    Run run;
    set_sequences(run, batch);
    PretrainingLosses losses;
    std::vector<double> mlm_rows;
    model.loss(run, token_inputs(batch), pretraining_labels(batch), {}, losses, on_batch ? &mlm_rows : nullptr);
    write_sums(losses, std::span(numbers).subspan(static_cast<size_t>(slice) * kNumbers).first<kNumbers>());
    if (on_batch) on_batch(batch, mlm_rows);
  }
  // Every slice has a place of its own, so that the sum does not depend on who computed which.
  communicator.all_reduce_sum(std::span<double>(numbers));
  PretrainingLosses total;
  for (size_t at = 0; at < numbers.size(); at += kNumbers) {
    const auto slice = std::span<const double>(numbers).subspan(at);
    total.mlm += read_sums(slice.first<3>());
    total.next_sentence += read_sums(slice.subspan<3, 3>());
  }
  return total;
}

std::vector<std::pair<std::string, double>> evaluation_metrics(const BertForPretraining& model,
                                                               const PretrainingLosses& losses) {
  std::vector<std::pair<std::string, double>> metrics = {{"loss", losses.mlm.mean() + losses.next_sentence.mean()}};
  if (model.heads() != Head::kNextSentence) {
    metrics.emplace_back("mlm_loss", losses.mlm.mean());
    metrics.emplace_back("perplexity", std::exp(losses.mlm.mean()));
    metrics.emplace_back("mlm_accuracy", losses.mlm.accuracy());
  }
  if (model.heads() != Head::kMlm) {
    metrics.emplace_back("nsp_loss", losses.next_sentence.mean());
    metrics.emplace_back("nsp_accuracy", losses.next_sentence.accuracy());
  }
  return metrics;
}

double unigram_cross_entropy(const Tokenizer& tokenizer, std::span<const int64_t> training_counts,
                             std::span<const int64_t> held_out_counts) {
  const auto smoothed = [&](int32_t id) { return 1 + static_cast<double>(training_counts[static_cast<size_t>(id)]); };
  double training_total = 0;
  for (int32_t id = 0; id < tokenizer.size(); ++id) training_total += tokenizer.is_special(id) ? 0 : smoothed(id);
  double nats = 0;
  double tokens = 0;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    if (tokenizer.is_special(id)) continue;
    const auto count = static_cast<double>(held_out_counts[static_cast<size_t>(id)]);
    nats -= count * std::log(smoothed(id) / training_total);
    tokens += count;
  }
  return tokens > 0 ? nats / tokens : 0;
}

}  // namespace bertha
