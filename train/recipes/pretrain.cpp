#include "train/recipes/pretrain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "data/file.h"
#include "data/sequence_source.h"
#include "data/unigram.h"
#include "train/checkpoint/atomic_directory.h"
#include "train/model_directory.h"
#include "train/rank_agreement.h"
#include "train/recipes/pretraining_data.h"
#include "train/recipes/pretraining_evaluation.h"
#include "train/recipes/pretraining_setup.h"
#include "train/recipes/pretraining_task.h"
#include "train/run_facts.h"

namespace bertha {
namespace {

PretrainingTask make_task(BertForPretraining& model, const PretrainingData& data, const PretrainConfig& config,
                          const MicroSlices& slices) {
  const auto seed = static_cast<uint64_t>(config.training.seed);
  const Masker masker(config.masking, data.tokenizer);
  std::optional<EvaluationBatches> evaluation;
  if (data.held_out) evaluation.emplace(masked(shard_source(data.held_out), masker), kEvaluationBatchSize);
  const RunIdentity identity = {.model = config_json({model.config(), model.heads(), {}}, data.tokenizer),
                                .vocabulary_hash = data.tokenizer.vocabulary().hash(),
                                .data_hash = data.training.hash,
                                .seed = seed,
                                .global_batch_size = config.training.global_batch_size};
  return {model, data.tokenizer, TrainingBatches(data.training.source, seed, slices), std::move(evaluation), identity};
}

void note_plateau(const PretrainingData& data, const RunEvents& events) {
  if (!data.held_out) return;
  const double nats = unigram_cross_entropy(data.tokenizer, data.training.token_counts, data.held_out->token_counts());
  events.note(fmt::format(
      "unigram cross-entropy of the held-out text: {:.4f} nats (what token frequencies alone reach)", nats));
}

void finish(const PretrainConfig& config, const PretrainingTask& task, Trainer::Outcome outcome, int64_t steps_made,
            const RunEvents& events) {
  const std::string directory = config.output + "/model";
  if (outcome == Trainer::Outcome::kStopped) {
    return note_stopped(config.output, events);
  }
  // Also where no step was left to make: the run may have been cut off before this.
  publish_model(directory, task.model_content());
  events.note((steps_made == 0 ? "this run is finished: " : "finished: ") + directory);
}

}  // namespace

Trainer::Outcome pretrain(const PretrainConfig& config, Communicator& communicator, const RunEvents& events) {
  require_agreement(communicator, build_identity());
  require_agreement(communicator, to_yaml(config));
  const bool reports = communicator.rank() == 0;
  const BertConfig bert = model_config(config);
  const MicroSlices slices(config.training.global_batch_size, micro_batch_size(config.training, communicator.size()));
  rank_slices(slices.count(), communicator.rank(), communicator.size());
  check_precision(config.training);
  check_fits_model(bert, config.data.sequence_length);

  const std::unique_ptr<RunLock> lock = open_output(config.output, communicator);
  communicator.barrier();
  const PretrainingData data = prepare_data(config, communicator, events);
  require_agreement(communicator, fmt::format("data {:016x}", data.training.hash));
  if (reports) note_plateau(data, events);

  BertForPretraining model(bert, heads_of(config.task));
  const std::vector<std::string> sentences = initialize(model, config);
  PretrainingTask task = make_task(model, data, config, slices);
  const int64_t steps = steps_of(config.training, data.training.source.size);
  const double peak_flops = measure_peak(config.training.precision, communicator);
  TrainerOptions options = trainer_options(config.training, config.communication, config.checkpoint, steps);
  options.spikes = config.spikes;
  options.evaluate_every = config.evaluation.every_steps;
  options.output = config.output;
  options.configuration = to_yaml(config);
  options.peak_flops = peak_flops;
  Trainer trainer(options, task, communicator, events);
  const int64_t first_step = trainer.resume();
  if (reports) {
    const auto changes_since = [&](const std::string& yaml) {
      return differences(parse_pretrain_config(yaml, "configuration", {}), config);
    };
    note_changes(trainer.resumed_configuration(), changes_since, events);
    write_durably(config.output + "/config.yaml", options.configuration);
    write_run_facts(config.output,
                    {config.training.precision, peak_flops, communicator.size(), parameter_count(model.parameters()),
                     unigram_of(data.training.token_counts, data.tokenizer)});
    if (first_step == 0) std::ranges::for_each(sentences, events.note);
    events.note(fmt::format("{} parameters, {} of {} sequences in {} micro-slices", parameter_count(model.parameters()),
                            length_text(options), config.training.global_batch_size, slices.count()));
    note_machine(config.training.precision, peak_flops, communicator, events);
    events.opened(config.output);
  }
  const Trainer::Outcome outcome = trainer.run();
  if (reports) finish(config, task, outcome, trainer.steps_done() - first_step, events);
  return outcome;
}

}  // namespace bertha
