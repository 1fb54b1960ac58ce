#include "train/recipes/pretraining_setup.h"

#include "autograd/core/error.h"
#include "nn/published_names.h"
#include "train/model_directory.h"
#include "train/premasked_child.h"

namespace bertha {
namespace {

void check_samples(const std::string& directory, int64_t samples, int64_t sequence_length,
                   const PretrainConfig& config) {
  check<MismatchError>(sequence_length == config.data.sequence_length, directory, ": sequences of ", sequence_length,
                       " tokens (data.sequence_length is ", config.data.sequence_length, ")");
  check<MismatchError>(samples > 0, directory, ": holds no sequences");
}

TrainingSamples open_premasked(const std::string& directory, const PretrainConfig& config, const WordPiece& tokenizer) {
  auto set =
      std::make_shared<PremaskedSet>(directory, tokenizer.vocabulary().size(), config.task, check_premasked_in_child);
  check_samples(directory, set->size(), set->sequence_length(), config);
  return {premasked_source(set), set->hash(), set->tokens(), set->token_counts()};
}

}  // namespace

Head heads_of(Objective task) {
  return task == Objective::kMlm ? Head::kMlm : Head::kMlmAndNextSentence;
}

BertConfig model_config(const PretrainConfig& config) {
  const std::string& directory = config.model.initialize_from;
  if (directory.empty()) return config.model.config;
  const BertConfig bert = read_model_description(directory).config;
  check<ConfigError>(!architecture_name(bert.family, heads_of(config.task)).empty(), "task: mlm_nsp (", directory,
                     " holds a ", family_name(bert.family), ", which has no next-sentence head; expected mlm)");
  return bert;
}

std::vector<std::string> initialize(BertForPretraining& model, const PretrainConfig& config) {
  const auto seed = static_cast<uint64_t>(config.training.seed);
  const double deviation = model.config().initializer_range;
  if (!config.model.initialize_from.empty()) {
    return initialize_from(config.model.initialize_from, {}, OutputLayer::kTaken, seed, deviation, model.parameters());
  }
  model.parameters().initialize(seed, deviation);
  return {};
}

std::optional<WordPiece> given_tokenizer(const PretrainConfig& config) {
  if (!config.data.vocab.empty()) return WordPiece::read(config.data.vocab, config.data.lowercase);
  if (!config.model.initialize_from.empty()) return WordPiece::read(config.model.initialize_from, std::nullopt);
  return std::nullopt;
}

void check_fits_model(const BertConfig& model, const Vocabulary& vocabulary) {
  check<MismatchError>(vocabulary.size() <= model.vocab_size, "data.vocab: ", vocabulary.size(),
                       " tokens (the model has ", model.vocab_size, "; model.vocab_size must be at least as many)");
}

void check_shards(const ShardSet& shards, const std::string& directory, const PretrainConfig& config,
                  const WordPiece& tokenizer) {
  check<MismatchError>(shards.vocabulary_hash() == tokenizer.vocabulary().hash(), directory,
                       ": was made with another vocabulary than the one of this run");
  check<MismatchError>(shards.lowercase() == tokenizer.lowercase(), directory, ": was made from ",
                       shards.lowercase() ? "lowercased" : "cased", " text (data.lowercase says otherwise)");
  check<MismatchError>(shards.objective() == config.task, directory,
                       ": was made for the other objective (task decides between mlm and mlm_nsp)");
  check_samples(directory, shards.size(), shards.sequence_length(), config);
}

TrainingSamples open_training_samples(const std::string& directory, const PretrainConfig& config,
                                      const WordPiece& tokenizer) {
  if (holds_premasked_files(directory)) return open_premasked(directory, config, tokenizer);
  auto shards = std::make_shared<ShardSet>(directory);
  check_shards(*shards, directory, config, tokenizer);
  return {masked(shard_source(shards), Masker(config.masking, tokenizer)), shards->hash(), shards->tokens(),
          shards->token_counts()};
}

}  // namespace bertha
