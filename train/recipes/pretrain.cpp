#include "train/recipes/pretrain.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "autograd/core/parallel.h"
#include "autograd/kernels/peak.h"
#include "data/sequence_source.h"
#include "data/sharder.h"
#include "data/wordpiece_trainer.h"
#include "train/checkpoint/atomic_directory.h"
#include "train/config_paths.h"
#include "train/memory_plan.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_evaluation.h"
#include "train/recipes/pretraining_task.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestDefaultMicroBatch = 16;

PretrainingHeads heads_of(Objective task) {
  return task == Objective::kMlm ? PretrainingHeads::kMlm : PretrainingHeads::kMlmAndNextSentence;
}

BertConfig bert_config(const PretrainConfig& config) {
  return config.model.initialize_from.empty() ? config.model.config
                                              : read_model_description(config.model.initialize_from).config;
}

// Left out, the size depends on the number of ranks, unless the bits must not.
int64_t micro_batch_size(const TrainingSection& training, int ranks) {
  if (training.micro_batch_size) return *training.micro_batch_size;
  const int64_t share = training.deterministic ? training.global_batch_size : training.global_batch_size / ranks;
  return std::clamp<int64_t>(share, 1, kLargestDefaultMicroBatch);
}

int64_t steps_of(const TrainingSection& training, int64_t sequences) {
  if (training.steps) return *training.steps;
  return (*training.epochs * sequences + training.global_batch_size - 1) / training.global_batch_size;
}

// Does `work` on rank 0 and makes the others wait for it.
template <class F>
void on_first_rank(Communicator& communicator, F&& work) {
  if (communicator.rank() == 0) work();
  communicator.barrier();
}

class Preparation {
 public:
  Preparation(const PretrainConfig& config, Communicator& communicator, const RunEvents& events)
      : config_(config), communicator_(communicator), events_(events) {}

  void output_directory() {
    on_first_rank(communicator_, [&] {
      std::error_code error;
      fs::create_directories(config_.output, error);
      check<Error>(!error, config_.output, ": cannot be made (", error.message(), ")");
      const std::string path = config_.output + "/config.yaml";
      if (fs::exists(path)) {
        for (const std::string& line : differences(load_pretrain_config(path, {}), config_)) {
          events_.note("changed since this run was started: " + line);
        }
      }
      replace_file(path, to_yaml(config_));
    });
  }

  WordPiece tokenizer() {
    std::string path = config_.data.vocab;
    if (path.empty() && !config_.model.initialize_from.empty()) path = config_.model.initialize_from;
    if (path.empty()) path = learnt_vocabulary();
    return WordPiece::read(path, config_.data.lowercase);
  }

  std::string training_shards(const WordPiece& tokenizer) {
    if (!config_.data.shards.empty()) return config_.data.shards;
    return sharded("shards", expand_paths(config_.data.text, "data.text"), tokenizer);
  }

  // Empty where nothing is held out.
  std::string evaluation_shards(const WordPiece& tokenizer) {
    if (config_.data.evaluation_text.empty()) return "";
    return sharded("evaluation-shards", expand_paths(config_.data.evaluation_text, "data.evaluation_text"), tokenizer);
  }

 private:
  std::string learnt_vocabulary() {
    const std::string path = config_.output + "/vocab.txt";
    on_first_rank(communicator_, [&] {
      if (fs::exists(path)) return;
      const int64_t size = config_.model.config.vocab_size;
      events_.note(fmt::format("learning a vocabulary of {} entries", size));
      VocabularyOptions options;
      options.size = size;
      options.count.casing = config_.data.lowercase ? Casing::kUncased : Casing::kCased;
      options.count.scratch_directory = config_.output;
      Vocabulary(learn_vocabulary(expand_paths(config_.data.text, "data.text"), options), path).write(path);
    });
    return path;
  }

  std::string sharded(const std::string& name, const std::vector<std::string>& files, const WordPiece& tokenizer) {
    ShardOptions options;
    options.files = files;
    options.directory = config_.output + "/" + name;
    options.objective = config_.task;
    options.sequence_length = config_.data.sequence_length;
    options.seed = static_cast<uint64_t>(config_.training.seed);
    options.jobs = num_threads();
    options.rank = communicator_.rank();
    options.world_size = communicator_.size();
    options.barrier = [this] { communicator_.barrier(); };
    const ShardSummary summary = shard_corpus(options, tokenizer, [](const ShardProgress&) {});
    if (communicator_.rank() == 0) {
      events_.note(fmt::format("{}: {} sequences, {} tokens from {} documents, {:.2f} % unknown", options.directory,
                               summary.sequences, summary.tokens, summary.documents,
                               100.0 * static_cast<double>(summary.unknown_tokens) /
                                   static_cast<double>(std::max<int64_t>(summary.tokens, 1))));
    }
    return options.directory;
  }

  const PretrainConfig& config_;
  Communicator& communicator_;
  const RunEvents& events_;
};

void check_shards(const ShardSet& shards, const std::string& directory, const PretrainConfig& config,
                  const WordPiece& tokenizer) {
  check<MismatchError>(shards.vocabulary_hash() == tokenizer.vocabulary().hash(), directory,
                       ": was made with another vocabulary than the one of this run");
  check<MismatchError>(shards.objective() == config.task, directory,
                       ": was made for the other objective (task decides between mlm and mlm_nsp)");
  check<MismatchError>(shards.size() > 0, directory, ": holds no sequences");
}

void check_model(const BertConfig& model, const std::string& directory, int64_t sequence_length,
                 const Vocabulary& vocabulary) {
  check<MismatchError>(vocabulary.size() <= model.vocab_size, "the vocabulary has ", vocabulary.size(),
                       " tokens, the model ", model.vocab_size, " (model.vocab_size at least as many)");
  check<MismatchError>(sequence_length <= model.max_position_embeddings, directory, ": sequences of ", sequence_length,
                       " tokens (the model has ", model.max_position_embeddings, " positions)");
}

// Every rank must run the same build on the same configuration and data.
void compare_ranks(Communicator& communicator, const PretrainConfig& config, uint64_t data_hash) {
  const std::string mine = fmt::format("build {} {}\ndata {:016x}\n{}", __VERSION__, BERTHA_VERSION, data_hash,
                                       to_yaml(config));
  const std::vector<std::string> all = communicator.all_gather(mine);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const auto [left, right] = std::ranges::mismatch(all[0], all[rank]);
    const auto line_at = [](const std::string& text, size_t at) {
      at = std::min(at, text.size());
      const size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
      return text.substr(begin, text.find('\n', at) - begin);
    };
    const auto at = static_cast<size_t>(left - all[0].begin());
    fail<MismatchError>("rank ", rank, " of ", all.size(), ": '", line_at(all[rank], at), "' differs from rank 0's '",
                        line_at(all[0], at), "'; do all ranks run one binary, one configuration and one data set?");
  }
}

TrainerOptions trainer_options(const PretrainConfig& config, int64_t steps, double peak_flops) {
  const TrainingSection& t = config.training;
  TrainerOptions options;
  options.steps = steps;
  options.global_batch_size = t.global_batch_size;
  options.seed = static_cast<uint64_t>(t.seed);
  options.optimizer = {t.optimizer, t.betas[0], t.betas[1], t.epsilon, t.weight_decay, t.clip_grad_norm};
  options.schedule = {t.schedule, t.learning_rate, t.warmup_steps.value_or(steps / 10), steps};
  options.reduction = t.deterministic                 ? Reduction::kDeterministic
                      : config.communication.overlap ? Reduction::kOverlapped
                                                     : Reduction::kAfterBackward;
  options.evaluate_every = config.evaluation.every_steps;
  options.checkpoint_every = config.checkpoint.every_steps;
  options.keep_checkpoints = static_cast<int>(config.checkpoint.keep);
  options.output = config.output;
  options.configuration = to_yaml(config);
  options.peak_flops = peak_flops;
  return options;
}

std::string count(int64_t n) { return n >= 10000000 ? fmt::format("{:.1f} M", static_cast<double>(n) / 1e6) : fmt::format("{}", n); }

int64_t parameter_count(const ParameterStore& store) {
  int64_t total = 0;
  for (const PublishedTensor& tensor : store.published()) total += tensor.shape.numel();
  return total;
}

}  // namespace

Trainer::Outcome pretrain(const PretrainConfig& config, Communicator& communicator, const RunEvents& events) {
  const bool reports = communicator.rank() == 0;
  const BertConfig bert = bert_config(config);
  Preparation prepare(config, communicator, events);
  prepare.output_directory();
  const WordPiece tokenizer = prepare.tokenizer();
  const std::string training_directory = prepare.training_shards(tokenizer);
  const std::string evaluation_directory = prepare.evaluation_shards(tokenizer);
  const ShardSet shards(training_directory);
  check_shards(shards, training_directory, config, tokenizer);
  check_model(bert, training_directory, shards.sequence_length(), tokenizer.vocabulary());
  compare_ranks(communicator, config, shards.hash());

  BertForPretraining model(bert, heads_of(config.task));
  const auto seed = static_cast<uint64_t>(config.training.seed);
  if (config.model.initialize_from.empty()) {
    model.parameters().initialize(seed, bert.initializer_range);
  } else {
    read_weights(config.model.initialize_from, model.parameters());
  }

  const Masker masker(config.masking, tokenizer.vocabulary());
  const MicroSlices slices(config.training.global_batch_size, micro_batch_size(config.training, communicator.size()));
  std::optional<EvaluationBatches> evaluation;
  if (!evaluation_directory.empty()) {
    const ShardSet held_out(evaluation_directory);
    check_shards(held_out, evaluation_directory, config, tokenizer);
    evaluation.emplace(shard_source(evaluation_directory), masker, kEvaluationBatchSize);
    if (reports) {
      events.note(fmt::format(
          "unigram cross-entropy of the held-out text: {:.4f} nats (what token frequencies alone reach)",
          unigram_cross_entropy(tokenizer.vocabulary(), shards.token_counts(), held_out.token_counts())));
    }
  }
  const RunIdentity identity = {.model = model_content(model, tokenizer).files.front().bytes,
                                .vocabulary_hash = tokenizer.vocabulary().hash(),
                                .data_hash = shards.hash(),
                                .seed = seed,
                                .global_batch_size = config.training.global_batch_size};
  PretrainingTask task(model, tokenizer, TrainingBatches(shard_source(training_directory), masker, seed, slices),
                       std::move(evaluation), identity);

  const int64_t steps = steps_of(config.training, shards.size());
  double peak_flops = kernels::measure_fma_peak();
  communicator.all_reduce_sum(std::span<double>(&peak_flops, 1));
  if (reports) {
    events.note(fmt::format(
        "{} parameters, {} steps of {} sequences in {} micro-slices; {} ranks of {} threads, {:.0f} GFLOP/s (f32 fma peak)",
        count(parameter_count(model.parameters())), steps, config.training.global_batch_size, slices.count(),
        communicator.size(), num_threads(), peak_flops / 1e9));
  }
  Trainer trainer(trainer_options(config, steps, peak_flops), task, communicator, events);
  const bool finished_before = trainer.resume() == steps;
  const Trainer::Outcome outcome = trainer.run();
  const std::string directory = config.output + "/model";
  if (outcome == Trainer::Outcome::kFinished && reports) {
    if (!finished_before || !fs::exists(directory)) publish_model(directory, task.model_content());
    events.note(finished_before ? "this run is finished: " + directory : "finished: " + directory);
  }
  return outcome;
}

std::vector<std::string> plan_pretraining(const PretrainConfig& config, int ranks) {
  std::vector<std::string> lines;
  const BertConfig bert = bert_config(config);
  BertForPretraining model(bert, heads_of(config.task));
  const int64_t parameters = parameter_count(model.parameters());
  lines.push_back(fmt::format("model: {} parameters", count(parameters)));

  std::optional<WordPiece> tokenizer;
  if (!config.data.vocab.empty()) tokenizer = WordPiece::read(config.data.vocab, config.data.lowercase);
  if (tokenizer) check_model(bert, config.data.vocab, config.data.sequence_length, tokenizer->vocabulary());
  int64_t text_bytes = 0;
  std::optional<int64_t> sequences;
  if (config.data.shards.empty()) {
    const auto files = expand_paths(config.data.text, "data.text");
    for (const std::string& file : files) {
      check<ConfigError>(access(file.c_str(), R_OK) == 0, file, ": cannot be read");
      text_bytes += static_cast<int64_t>(fs::file_size(file));
    }
    check<ConfigError>(text_bytes > 0, "data.text: ", files.size(), " files without a byte of text");
    lines.push_back(fmt::format("data: {} files, {:.1f} MB of text, {}", files.size(), static_cast<double>(text_bytes) / 1e6,
                                tokenizer ? "to be sharded" : "to learn a vocabulary from and to shard"));
  } else {
    const ShardSet shards(config.data.shards);
    check_model(bert, config.data.shards, shards.sequence_length(), Vocabulary::read(config.data.vocab));
    sequences = shards.size();
    lines.push_back(fmt::format("data: {} sequences, {} tokens", shards.size(), shards.tokens()));
  }
  if (!config.data.evaluation_text.empty()) expand_paths(config.data.evaluation_text, "data.evaluation_text");

  const int64_t micro = micro_batch_size(config.training, ranks);
  const MicroSlices slices(config.training.global_batch_size, micro);
  const IndexRange most = rank_slices(slices.count(), 0, ranks);
  lines.push_back(fmt::format("step: {} sequences in {} micro-slices of up to {}, at most {} on each of {} ranks",
                              config.training.global_batch_size, slices.count(), micro, most.size(), ranks));
  if (config.training.steps || sequences) {
    lines.push_back(fmt::format("length: {} steps", steps_of(config.training, sequences.value_or(0))));
  }

  const int64_t tokens = micro * config.data.sequence_length;
  const auto masked = static_cast<int64_t>(std::ceil(config.masking.probability * static_cast<double>(tokens)));
  const MemoryPlan memory = plan_memory(bert, parameters, tokens, masked,
                                        config.training.deterministic ? SliceTree::peak_blocks(most) : 0);
  lines.push_back(fmt::format("memory of a rank: {:.0f} MiB (parameters, gradients and moments {:.0f}, activations {:.0f}, "
                              "logits {:.0f}, deterministic sums {:.0f})",
                              static_cast<double>(memory.total()) / 0x1p20, static_cast<double>(memory.parameters) / 0x1p20,
                              static_cast<double>(memory.activations) / 0x1p20, static_cast<double>(memory.logits) / 0x1p20,
                              static_cast<double>(memory.slices) / 0x1p20));

  fs::path existing = fs::absolute(config.output);
  while (!fs::exists(existing)) existing = existing.parent_path();
  const auto free_bytes = static_cast<int64_t>(fs::space(existing).available);
  const int64_t needed = (config.checkpoint.keep + 1) * 12 * parameters + 4 * parameters + text_bytes;
  lines.push_back(fmt::format("disk: up to {:.0f} MiB, {:.0f} MiB free", static_cast<double>(needed) / 0x1p20,
                              static_cast<double>(free_bytes) / 0x1p20));
  check<Error>(free_bytes >= needed, config.output, ": ", free_bytes, " bytes are free (the run needs up to ", needed, ")");
  return lines;
}

}  // namespace bertha
