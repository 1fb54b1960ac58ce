#include "train/recipes/pretraining_data.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "autograd/core/parallel.h"
#include "data/file.h"
#include "data/sharder.h"
#include "data/wordpiece_trainer.h"
#include "train/config_paths.h"
#include "train/recipes/pretraining_setup.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kProgressPause{5};

class Preparation {
 public:
  Preparation(const PretrainConfig& config, Communicator& communicator, const RunEvents& events)
      : config_(config), communicator_(communicator), events_(events) {}

  WordPiece tokenizer() {
    if (auto given = given_tokenizer(config_)) return std::move(*given);
    const std::string path = config_.output + "/vocab.txt";
    if (reports()) learn_vocabulary_at(path);
    communicator_.barrier();
    return WordPiece::read(path, config_.data.lowercase);
  }

  TrainingSamples training(const WordPiece& tokenizer) {
    const std::string& given = config_.data.shards;
    if (reports() && holds_premasked_files(given)) {
      events_.note(given + ": was masked when it was made, so that masking changes nothing");
    }
    return open_training_samples(given.empty() ? sharded("shards", config_.data.text, "data.text", tokenizer) : given,
                                 config_, tokenizer);
  }

  std::shared_ptr<ShardSet> held_out(const WordPiece& tokenizer) {
    if (config_.data.evaluation_text.empty()) return nullptr;
    const std::string directory =
        sharded("evaluation-shards", config_.data.evaluation_text, "data.evaluation_text", tokenizer);
    auto shards = std::make_shared<ShardSet>(directory);
    check_shards(*shards, directory, config_, tokenizer);
    return shards;
  }

 private:
  bool reports() const { return communicator_.rank() == 0; }

  // Keeps the vocabulary that is there if it was learnt from the same text with the same settings.
  void learn_vocabulary_at(const std::string& path) const {
    const auto files = expand_paths(config_.data.text, "data.text");
    const int64_t size = config_.model.config.vocab_size;
    std::string source = fmt::format("{} entries, {}\n", size, config_.data.lowercase ? "lowercase" : "cased");
    for (const std::string& file : files) source += fmt::format("{} {}\n", file, fs::file_size(file));
    std::ifstream known(path + ".source");
    if (fs::exists(path) && std::string(std::istreambuf_iterator<char>(known), {}) == source) return;

    events_.note(fmt::format("learning a vocabulary of {} entries from {} files", size, files.size()));
    VocabularyOptions options;
    options.size = size;
    options.count.casing = config_.data.lowercase ? Casing::kUncased : Casing::kCased;
    options.count.scratch_directory = config_.output;
    Vocabulary(learn_vocabulary(files, options), path).write(path);
    write_durably(path + ".source", source);
  }

  std::string sharded(const std::string& name, std::span<const std::string> patterns, std::string_view key,
                      const WordPiece& tokenizer) const {
    ShardOptions options;
    options.files = expand_paths(patterns, key);
    options.directory = config_.output + "/" + name;
    options.objective = config_.task;
    options.sequence_length = config_.data.sequence_length;
    options.seed = static_cast<uint64_t>(config_.training.seed);
    options.jobs = num_threads();
    options.rank = communicator_.rank();
    options.world_size = communicator_.size();
    options.barrier = [this] { communicator_.barrier(); };
    auto last = std::chrono::steady_clock::now();
    const ShardSummary summary = shard_corpus(options, tokenizer, [&](const ShardProgress& progress) {
      const auto now = std::chrono::steady_clock::now();
      if (!reports() || now - last < kProgressPause) return;
      last = now;
      events_.note(fmt::format("{}: {} of {} blocks, {:.0f} MB of text", options.directory, progress.blocks_done,
                               progress.blocks, static_cast<double>(progress.text_bytes_done) / 1e6));
    });
    if (reports()) {
      const auto tokens = static_cast<double>(std::max<int64_t>(summary.tokens, 1));
      events_.note(fmt::format("{}: {} sequences, {} tokens from {} documents, {:.2f} % unknown", options.directory,
                               summary.sequences, summary.tokens, summary.documents,
                               100 * static_cast<double>(summary.unknown_tokens) / tokens));
    }
    return options.directory;
  }

  const PretrainConfig& config_;
  Communicator& communicator_;
  const RunEvents& events_;
};

}  // namespace

PretrainingData prepare_data(const PretrainConfig& config, Communicator& communicator, const RunEvents& events) {
  Preparation prepare(config, communicator, events);
  WordPiece tokenizer = prepare.tokenizer();
  check_fits_model(model_config(config), tokenizer.vocabulary());
  auto training = prepare.training(tokenizer);
  auto held_out = prepare.held_out(tokenizer);
  return {std::move(tokenizer), std::move(training), std::move(held_out)};
}

}  // namespace bertha
