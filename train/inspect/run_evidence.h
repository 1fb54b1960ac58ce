#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/inspect/run_configuration.h"
#include "train/inspect/run_history.h"
#include "train/run_facts.h"

namespace bertha {

/// What a model reaches that has learnt how often which token occurs, and nothing else.
struct UnigramEvidence {
  double entropy = 0;              // its masked-LM loss, in nats
  double most_frequent_share = 0;  // the accuracy of always answering with the most frequent token
};

/// What the shards of a run say of its text.
struct TextEvidence {
  int64_t ordinary = 0;                      // tokens of the vocabulary that are not special,
  int64_t unseen = 0;                        // and those of them that the text does not have
  std::optional<double> unknown_share = {};  // of [UNK] among ordinary tokens, where the vocabulary has it
  double repeated_share = 0;                 // of passages that had occurred before
};

/// The rows of the word embeddings: the mean of their standard deviations.
struct EmbeddingEvidence {
  double seen = 0, unseen = 0;  // of tokens that the text has, and of the others
};

/// All that advice on a run rests on.
struct RunEvidence {
  RunConfiguration configuration;
  RunHistory history = {};
  std::vector<RunFact> facts = {};
  std::optional<UnigramEvidence> unigram = {};  // of the training text, as run.json has it, else its shards
  std::optional<TextEvidence> text = {};
  std::optional<EmbeddingEvidence> embeddings = {};
  std::vector<std::string> missing = {};  // a sentence for each that was not found
};

/// What a run's small files say. Throws ConfigError where there is no configuration, DamagedFileError for damaged
/// files.
RunEvidence read_small_files(const std::string& directory);

/// And of pretraining all sequences of its shards, and its newest model's word embeddings. `vocab` as
/// find_shard_tokenizer has it. Throws as above.
RunEvidence gather_evidence(const std::string& directory, const std::string& vocab);

/// The newest model of a run directory: `model`, else the checkpoint that `latest` names, else the newest; none where
/// there is none.
std::optional<std::string> newest_model(const std::string& directory);

}  // namespace bertha
