#include "train/inspect/run_evidence.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "autograd/core/error.h"
#include "data/repeated_text.h"
#include "data/shard.h"
#include "train/checkpoint/checkpoint.h"
#include "train/inspect/file_tensors.h"
#include "train/inspect/shard_vocabulary.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

/// The run's own, or those it was given; none where there are none of ours.
std::optional<std::string> shards_of(const std::string& directory, const RunConfiguration& configuration) {
  if (!configuration.pretraining) return std::nullopt;
  for (const std::string& place : {directory + "/shards", configuration.pretraining->data.shards}) {
    if (!place.empty() && fs::exists(fs::path(place) / kShardManifestName)) return place;
  }
  return std::nullopt;
}

std::vector<int32_t> special_ids(const Tokenizer* tokenizer, const Sequence& sequence) {
  if (!tokenizer) return {sequence.ids.front(), sequence.ids.back()};
  const Tokenizer::SpecialIds ids = tokenizer->specials();
  return {ids.pad, ids.unk, ids.cls, ids.sep, ids.mask};
}

double repeated_share(ShardSet& shards, std::span<const int32_t> special) {
  const auto is_special = [&](int32_t id) { return std::ranges::find(special, id) != special.end(); };
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

TextEvidence read_text(ShardSet& shards, const Tokenizer* tokenizer) {
  const std::vector<int64_t>& counts = shards.token_counts();
  const std::vector<int32_t> special = special_ids(tokenizer, shards.sequence(0));
  TextEvidence text{.unigram = unigram_of(counts, special)};
  text.ordinary = std::ssize(counts) - std::ranges::count_if(special, [](int32_t id) { return id >= 0; });
  text.unseen = text.ordinary - text.unigram.distinct;
  if (tokenizer && tokenizer->specials().unk >= 0) {
    const auto unknown = static_cast<double>(counts[static_cast<size_t>(tokenizer->specials().unk)]);
    text.unknown_share = unknown / std::max(1.0, unknown + static_cast<double>(text.unigram.tokens));
  }
  text.repeated_share = repeated_share(shards, special);
  return text;
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
  const auto place = shards_of(directory, evidence.configuration);
  if (!place) return evidence.missing.push_back("no shards, so nothing is said of the text");
  ShardSet shards(*place);
  if (shards.size() == 0) return evidence.missing.push_back(*place + " holds no sequences");
  const ShardTokenizer found = find_shard_tokenizer(*place, shards.manifest().settings, vocab);
  if (!found.tokenizer) evidence.missing.push_back("no vocabulary of the shards, so nothing is said of unknown words");
  evidence.text = read_text(shards, found.tokenizer.get());
  const auto model = newest_model(directory);
  if (model) evidence.embeddings = read_embeddings(*model, shards.token_counts());
  if (!evidence.embeddings) evidence.missing.push_back("no model with word embeddings");
}

}  // namespace

RunEvidence gather_evidence(const std::string& directory, const std::string& vocab) {
  RunEvidence evidence{read_run_configuration(directory), read_run_history(directory), {}, {}, {}};
  if (evidence.history.steps.empty()) evidence.missing.push_back("no steps in metrics.jsonl");
  if (evidence.history.evaluations.empty()) evidence.missing.push_back("no evaluations in metrics.jsonl");
  gather_text(directory, vocab, evidence);
  return evidence;
}

std::optional<std::string> newest_model(const std::string& directory) {
  const std::string model = directory + "/model", checkpoints = directory + "/checkpoints";
  if (fs::exists(fs::path(model) / kWeightsName)) return model;
  if (!fs::is_directory(checkpoints)) return std::nullopt;
  const std::vector<std::string> names = checkpoint_names(checkpoints);
  const std::string latest = latest_checkpoint(checkpoints);
  if (std::ranges::find(names, latest) != names.end()) return checkpoints + "/" + latest;
  return names.empty() ? std::nullopt : std::optional(checkpoints + "/" + names.front());
}

}  // namespace bertha
