#include "train/recipes/pretraining_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "train/config_paths.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_evaluation.h"
#include "train/recipes/pretraining_setup.h"
#include "train/recipes/run_plan.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

// Bytes of all files, each of which must be readable.
int64_t text_bytes(std::span<const std::string> patterns, std::string_view key) {
  int64_t bytes = 0;
  for (const std::string& file : expand_paths(patterns, key)) {
    check<ConfigError>(access(file.c_str(), R_OK) == 0, file, ": cannot be read");
    bytes += static_cast<int64_t>(fs::file_size(file));
  }
  check<ConfigError>(bytes > 0, key, ": holds no text");
  return bytes;
}

class Planner {
 public:
  Planner(const PretrainConfig& config, int ranks)
      : config_(config),
        ranks_(ranks),
        bert_(model_config(config)),
        plan_(config.training, config.communication, config.checkpoint, ranks) {}

  std::vector<std::string> plan() {
    check_precision(config_.training);
    check_fits_model(bert_, config_.data.sequence_length);
    model();
    data();
    plan_.say_step("sequences");
    plan_.say_length(sequences_);
    memory();
    plan_.say_disk(config_.output, plan_.bytes_of_run(parameters_) + new_bytes_);
    return plan_.lines();
  }

 private:
  void model() {
    BertForPretraining model(bert_, heads_of(config_.task));
    parameters_ = parameter_count(model.parameters());
    plan_.say(fmt::format("model: {} parameters", parameters_));
    if (config_.model.initialize_from.empty()) return;
    for (const std::string& sentence : initialize(model, config_)) plan_.say(sentence);
  }

  void data() {
    const auto tokenizer = given_tokenizer(config_);
    if (tokenizer) check_fits_model(bert_, tokenizer->vocabulary());
    if (config_.data.shards.empty()) {
      new_bytes_ += text_bytes(config_.data.text, "data.text");
      plan_.say(fmt::format("data: {:.1f} MB of text {}", static_cast<double>(new_bytes_) / 1e6,
                            tokenizer ? "to shard" : "to learn a vocabulary from and to shard"));
    } else {
      const TrainingSamples samples = open_training_samples(config_.data.shards, config_, *tokenizer);
      sequences_ = samples.source.size;
      plan_.say(fmt::format("data: {} sequences, {} tokens", samples.source.size, samples.tokens));
    }
    if (!config_.data.evaluation_text.empty()) {
      new_bytes_ += text_bytes(config_.data.evaluation_text, "data.evaluation_text");
    }
  }

  void memory() {
    const int64_t tokens = micro_batch_size(config_.training, ranks_) * config_.data.sequence_length;
    const auto masked = [this](int64_t of) {
      return static_cast<int64_t>(std::ceil(config_.masking.probability * static_cast<double>(of)));
    };
    const int64_t evaluated =
        config_.data.evaluation_text.empty() ? 0 : kEvaluationBatchSize * config_.data.sequence_length;
    plan_.say_memory(bert_,
                     {.parameters = parameters_,
                      .tokens = tokens,
                      .masked = masked(tokens),
                      .first_tokens = config_.task == Objective::kMlmNsp ? tokens / config_.data.sequence_length : 0,
                      .evaluation_tokens = evaluated,
                      .evaluation_masked = masked(evaluated)});
  }

  const PretrainConfig& config_;
  int ranks_;
  BertConfig bert_;
  RunPlan plan_;
  int64_t parameters_ = 0;
  int64_t new_bytes_ = 0;  // of text that becomes shards of about its size
  std::optional<int64_t> sequences_;
};

}  // namespace

std::vector<std::string> plan_pretraining(const PretrainConfig& config, int ranks) {
  return Planner(config, ranks).plan();
}

}  // namespace bertha
