#include "train/recipes/pretraining_setup.h"

#include <algorithm>

#include "autograd/core/error.h"
#include "autograd/kernels/isa.h"
#include "train/model_directory.h"

namespace bertha {
namespace {

constexpr int64_t kLargestDefaultMicroBatch = 16;

void check_samples(const std::string& directory, int64_t samples, int64_t sequence_length,
                   const PretrainConfig& config) {
  check<MismatchError>(sequence_length == config.data.sequence_length, directory, ": sequences of ", sequence_length,
                       " tokens (data.sequence_length is ", config.data.sequence_length, ")");
  check<MismatchError>(samples > 0, directory, ": holds no sequences");
}

TrainingSamples open_premasked(const std::string& directory, const PretrainConfig& config, const WordPiece& tokenizer) {
  auto set = std::make_shared<PremaskedSet>(directory, tokenizer.vocabulary().size(), config.task);
  check_samples(directory, set->size(), set->sequence_length(), config);
  return {premasked_source(set), set->hash(), set->tokens(), set->token_counts()};
}

}  // namespace

PretrainingHeads heads_of(Objective task) {
  return task == Objective::kMlm ? PretrainingHeads::kMlm : PretrainingHeads::kMlmAndNextSentence;
}

BertConfig model_config(const PretrainConfig& config) {
  return config.model.initialize_from.empty() ? config.model.config
                                              : read_model_description(config.model.initialize_from).config;
}

int64_t micro_batch_size(const TrainingSection& training, int ranks) {
  if (training.micro_batch_size) return *training.micro_batch_size;
  const int64_t share = training.deterministic ? training.global_batch_size : training.global_batch_size / ranks;
  return std::clamp<int64_t>(share, 1, kLargestDefaultMicroBatch);
}

int64_t steps_of(const TrainingSection& training, int64_t sequences) {
  if (training.steps) return *training.steps;
  if (training.time_budget) return 0;
  return (*training.epochs * sequences + training.global_batch_size - 1) / training.global_batch_size;
}

std::optional<WordPiece> given_tokenizer(const PretrainConfig& config) {
  if (!config.data.vocab.empty()) return WordPiece::read(config.data.vocab, config.data.lowercase);
  if (!config.model.initialize_from.empty()) return WordPiece::read(config.model.initialize_from, std::nullopt);
  return std::nullopt;
}

void check_precision(const TrainingSection& training) {
  check<ConfigError>(training.precision != DType::bf16 || kernels::has_bf16(),
                     "training.precision: bf16 (this processor has no AVX512_BF16; f32 runs on any)");
}

void check_fits_model(const BertConfig& model, const Vocabulary& vocabulary) {
  check<MismatchError>(vocabulary.size() <= model.vocab_size, "data.vocab: ", vocabulary.size(),
                       " tokens (the model has ", model.vocab_size, "; model.vocab_size must be at least as many)");
}

void check_fits_model(const BertConfig& model, int64_t sequence_length) {
  check<MismatchError>(sequence_length <= model.max_position_embeddings, "data.sequence_length: ", sequence_length,
                       " tokens (the model has ", model.max_position_embeddings, " positions)");
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
  return {masked(shard_source(shards), Masker(config.masking, tokenizer.vocabulary())), shards->hash(),
          shards->tokens(), shards->token_counts()};
}

int64_t parameter_count(const ParameterStore& store) {
  int64_t total = 0;
  for (const PublishedTensor& tensor : store.published()) total += tensor.shape.numel();
  return total;
}

}  // namespace bertha
