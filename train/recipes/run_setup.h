#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/bert_config.h"
#include "nn/parameter.h"
#include "train/comm/communicator.h"
#include "train/model_directory.h"
#include "train/run_lock.h"
#include "train/trainer.h"
#include "train/training_config.h"

namespace bertha {

// What runs of pretraining and fine-tuning have in common before their first step.

/// Left out, the size depends on the number of ranks, unless the bits must not.
int64_t micro_batch_size(const TrainingSection& training, int ranks);

/// Optimiser steps over `samples` samples; 0 where a time limits them.
int64_t steps_of(const TrainingSection& training, int64_t samples);

/// Throws ConfigError where this processor cannot compute in the precision.
void check_precision(const TrainingSection& training);

/// Throws MismatchError where sequences are too long for the model.
void check_fits_model(const BertConfig& model, int64_t sequence_length);

/// Gives the parameters what the model in a directory has in common with them, and those of a head that it does not
/// have random values. Says which those are, and what of the directory is not used, a sentence each. `layers`,
/// `output_layer` and errors as read_shared_weights has them.
std::vector<std::string> initialize_from(const std::string& directory, std::span<const int64_t> layers,
                                         OutputLayer output_layer, uint64_t seed, double standard_deviation,
                                         ParameterStore& parameters);

/// Up to `most` of the names, parted by commas, and how many there are where that is more.
std::string listed(std::span<const std::string> names, size_t most);

/// Elements of all parameters.
int64_t parameter_count(const ParameterStore& store);

/// Makes the run directory, tidies it after a crash and gives rank 0 the right to write it; null on other ranks.
std::unique_ptr<RunLock> open_output(const std::string& output, const Communicator& communicator);

/// What these sections say of a run of `steps` steps, or of one that a time limits.
TrainerOptions trainer_options(const TrainingSection& training, const CommunicationSection& communication,
                               const CheckpointSection& checkpoint, int64_t steps);

/// The configuration wins over the one, `before`, that the checkpoint was written with; each difference is said, by
/// `changes_since` its YAML. Nothing to say where there was no checkpoint.
void note_changes(const std::string& before,
                  const std::function<std::vector<std::string>(const std::string& yaml)>& changes_since,
                  const RunEvents& events);

/// How long a run is, as a sentence has it.
std::string length_text(const TrainerOptions& options);

/// Says that a signal ended the run and how it goes on.
void note_stopped(const std::string& output, const RunEvents& events);

/// Operations a second that all ranks together can reach. Collective.
double measure_peak(DType precision, Communicator& communicator);

/// Says what the run computes with.
void note_machine(DType precision, double peak_flops, const Communicator& communicator, const RunEvents& events);

}  // namespace bertha
