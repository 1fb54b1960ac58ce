#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/unigram.h"
#include "train/inspect/run_configuration.h"
#include "train/inspect/run_history.h"

namespace bertha {

/// What is known of the text that a run trains on.
struct TextEvidence {
  Unigram unigram = {};                      // of ordinary tokens
  int64_t ordinary = 0;                      // tokens of the vocabulary that are not special,
  int64_t unseen = 0;                        // and those of them that the text does not have
  std::optional<double> unknown_share = {};  // of [UNK] among ordinary tokens; none where the vocabulary was not found
  double repeated_share = 0;                 // of passages that had occurred before
};

/// The rows of the word embeddings: the mean of their standard deviations.
struct EmbeddingEvidence {
  double seen = 0, unseen = 0;  // of tokens that the text has, and of the others
};

/// All that advice on a run rests on.
struct RunEvidence {
  RunConfiguration configuration;
  RunHistory history;
  std::optional<TextEvidence> text;
  std::optional<EmbeddingEvidence> embeddings;
  std::vector<std::string> missing;  // a sentence for each that was not found
};

/// Reads a run directory, all sequences of its shards and its newest model's word embeddings. `vocab` as
/// find_shard_tokenizer has it. Throws ConfigError where there is no configuration, DamagedFileError for damaged files.
RunEvidence gather_evidence(const std::string& directory, const std::string& vocab);

/// The newest model of a run directory: `model`, else the checkpoint that `latest` names, else the newest; none where
/// there is none.
std::optional<std::string> newest_model(const std::string& directory);

}  // namespace bertha
