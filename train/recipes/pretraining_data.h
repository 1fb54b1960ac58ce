#pragma once

#include <memory>
#include <string>

#include "data/shard.h"
#include "data/wordpiece.h"
#include "train/comm/communicator.h"
#include "train/pretrain_config.h"
#include "train/recipes/pretraining_setup.h"
#include "train/trainer.h"

namespace bertha {

/// What a run trains and evaluates on.
struct PretrainingData {
  WordPiece tokenizer;
  TrainingSamples training;
  std::shared_ptr<ShardSet> held_out;  // null where nothing is held out
};

/// Opens what the configuration gives, and makes under its output directory what it does not: `vocab.txt`, `shards/`,
/// `evaluation-shards/`. What an earlier start of the same run has finished is kept. Collective.
PretrainingData prepare_data(const PretrainConfig& config, Communicator& communicator, const RunEvents& events);

}  // namespace bertha
