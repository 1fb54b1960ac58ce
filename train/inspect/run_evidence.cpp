#include "train/inspect/run_evidence.h"

#include <algorithm>
#include <numeric>

#include "autograd/core/error.h"
#include "data/file.h"
#include "data/repeated_text.h"
#include "data/shard.h"
#include "data/unigram.h"
#include "train/checkpoint/checkpoint.h"
#include "train/inspect/file_tensors.h"
#include "train/inspect/shard_vocabulary.h"

namespace bertha {
namespace {

/// The run's own, or those it was given; none where there are none of ours.
std::optional<std::string> shards_of(const std::string& directory, const PretrainConfig& configuration) {
  for (const std::string& place : {directory + "/shards", configuration.data.shards}) {
    if (!place.empty() && path_exists(place + "/" + std::string(kShardManifestName))) return place;
  }
  return std::nullopt;
}

double repeated_share(ShardSet& shards, const Tokenizer& tokenizer) {
  const auto is_special = [&](int32_t id) { return tokenizer.is_special(id); };
  RepeatedText text;
  for (int64_t i = 0; i < shards.size(); ++i) {
    const Sequence sequence = shards.sequence(i);
    for (auto at = sequence.ids.begin(); at != sequence.ids.end();) {
      const auto end = std::find_if(at, sequence.ids.end(), is_special);
      text.add({at, end});
      at = end == sequence.ids.end() ? end : end + 1;
    }
  }
  return text.share();
}

TextEvidence read_text(ShardSet& shards, const Unigram& unigram, const Tokenizer& tokenizer) {
  TextEvidence text;
  for (int32_t id = 0; id < tokenizer.size(); ++id) text.ordinary += tokenizer.is_special(id) ? 0 : 1;
  text.unseen = text.ordinary - unigram.distinct;
  if (const int32_t unk = tokenizer.specials().unk; unk >= 0) {
    const auto unknown = static_cast<double>(shards.token_counts()[static_cast<size_t>(unk)]);
    text.unknown_share = unknown / std::max(1.0, unknown + static_cast<double>(unigram.tokens));
  }
  text.repeated_share = repeated_share(shards, tokenizer);
  return text;
}

std::optional<UnigramEvidence> recorded_unigram(const std::vector<RunFact>& facts) {
  const auto entropy = find_number(facts, "unigram_entropy"), share = find_number(facts, "most_frequent_share");
  return entropy && share ? std::optional(UnigramEvidence{*entropy, *share}) : std::nullopt;
}

double deviation(std::span<const float> row) {
  const auto count = static_cast<double>(row.size());
  const double mean = std::accumulate(row.begin(), row.end(), 0.0) / count;
  double squares = 0;
  for (const float value : row) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / count);
}

/// None where the model has no table of a row for each token.
std::optional<EmbeddingEvidence> read_embeddings(const std::string& model, std::span<const int64_t> counts) {
  const FileTensors tensors(model);
  const auto table = std::ranges::find_if(
      tensors.weights(), [](const FileTensor& one) { return one.tensor.name.ends_with("word_embeddings.weight"); });
  if (table == tensors.weights().end() || table->tensor.shape.size() != 2) return std::nullopt;
  const int64_t rows = table->tensor.shape[0], width = table->tensor.shape[1];
  if (rows < std::ssize(counts) || width == 0) return std::nullopt;
  struct Mean {
    double sum = 0, rows = 0;
    double value() const { return rows > 0 ? sum / rows : 0; }
  } seen, unseen;
  std::vector<float> row(static_cast<size_t>(width));
  for (size_t id = 0; id < counts.size(); ++id) {
    read_elements(*table->file, table->tensor, static_cast<int64_t>(id) * width, std::span(row));
    Mean& mean = counts[id] > 0 ? seen : unseen;
    mean.sum += deviation(row);
    ++mean.rows;
  }
  return EmbeddingEvidence{seen.value(), unseen.value()};
}

void gather_text(const std::string& directory, const std::string& vocab, RunEvidence& evidence) {
  const auto place = shards_of(directory, *evidence.configuration.pretraining);
  if (!place) return evidence.missing.push_back("no shards, so nothing is said of the text");
  ShardSet shards(*place);
  if (shards.size() == 0) return evidence.missing.push_back(*place + " holds no sequences");
  const ShardTokenizer found = find_shard_tokenizer(*place, shards.manifest().settings, vocab);
  if (!found.tokenizer)
    return evidence.missing.push_back("no vocabulary of the shards, so nothing is said of the text");
  const Unigram unigram = unigram_of(shards.token_counts(), *found.tokenizer);
  if (!evidence.unigram) evidence.unigram = UnigramEvidence{unigram.entropy, unigram.most_frequent_share};
  evidence.text = read_text(shards, unigram, *found.tokenizer);
  const auto model = newest_model(directory);
  if (model) evidence.embeddings = read_embeddings(*model, shards.token_counts());
  if (!evidence.embeddings) evidence.missing.push_back("no model with word embeddings");
}

}  // namespace

RunEvidence read_small_files(const std::string& directory) {
  RunEvidence evidence{.configuration = read_run_configuration(directory),
                       .history = read_run_history(directory),
                       .facts = read_run_facts(directory)};
  evidence.unigram = recorded_unigram(evidence.facts);
  return evidence;
}

RunEvidence gather_evidence(const std::string& directory, const std::string& vocab) {
  RunEvidence evidence = read_small_files(directory);
  if (evidence.history.steps.empty()) evidence.missing.push_back("no steps in metrics.jsonl");
  if (evidence.history.evaluations.empty()) evidence.missing.push_back("no evaluations in metrics.jsonl");
  if (evidence.configuration.pretraining) gather_text(directory, vocab, evidence);
  return evidence;
}

std::optional<std::string> newest_model(const std::string& directory) {
  const std::string model = directory + "/model", checkpoints = directory + "/checkpoints";
  if (path_exists(model + "/" + std::string(kWeightsName))) return model;
  if (!path_is_directory(checkpoints)) return std::nullopt;
  const std::vector<std::string> names = checkpoint_names(checkpoints);
  const std::string latest = latest_checkpoint(checkpoints);
  if (std::ranges::find(names, latest) != names.end()) return checkpoints + "/" + latest;
  return names.empty() ? std::nullopt : std::optional(checkpoints + "/" + names.front());
}

}  // namespace bertha
