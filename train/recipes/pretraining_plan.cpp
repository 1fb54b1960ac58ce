#include "train/recipes/pretraining_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "data/micro_slices.h"
#include "train/config_paths.h"
#include "train/duration.h"
#include "train/memory_plan.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_evaluation.h"
#include "train/recipes/pretraining_setup.h"
#include "train/slice_tree.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

double mib(int64_t bytes) {
  return static_cast<double>(bytes) / 0x1p20;
}

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
  Planner(const PretrainConfig& config, int ranks) : config_(config), ranks_(ranks), bert_(model_config(config)) {}

  std::vector<std::string> plan() {
    check_precision(config_.training);
    check_fits_model(bert_, config_.data.sequence_length);
    model();
    data();
    step();
    memory();
    disk();
    return std::move(lines_);
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    lines_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void model() {
    BertForPretraining model(bert_, heads_of(config_.task));
    parameters_ = parameter_count(model.parameters());
    say("model: {} parameters", parameters_);
    if (config_.model.initialize_from.empty()) return;
    const std::vector<std::string> sentences = initialize(model, config_);
    lines_.insert(lines_.end(), sentences.begin(), sentences.end());
  }

  void data() {
    const auto tokenizer = given_tokenizer(config_);
    if (tokenizer) check_fits_model(bert_, tokenizer->vocabulary());
    if (config_.data.shards.empty()) {
      new_bytes_ += text_bytes(config_.data.text, "data.text");
      say("data: {:.1f} MB of text {}", static_cast<double>(new_bytes_) / 1e6,
          tokenizer ? "to shard" : "to learn a vocabulary from and to shard");
    } else {
      const TrainingSamples samples = open_training_samples(config_.data.shards, config_, *tokenizer);
      sequences_ = samples.source.size;
      say("data: {} sequences, {} tokens", samples.source.size, samples.tokens);
    }
    if (!config_.data.evaluation_text.empty()) {
      new_bytes_ += text_bytes(config_.data.evaluation_text, "data.evaluation_text");
    }
  }

  void step() {
    const TrainingSection& training = config_.training;
    const MicroSlices slices(training.global_batch_size, micro_batch_size(training, ranks_));
    most_slices_ = rank_slices(slices.count(), 0, ranks_);
    say("step: {} sequences in {} micro-slices of up to {}, at most {} on each of {} ranks", training.global_batch_size,
        slices.count(), slices.at(0).size(), most_slices_.size(), ranks_);
    if (training.time_budget) {
      say("length: {} of steps, evaluations and checkpoints", to_text(*training.time_budget));
    } else if (training.steps || sequences_) {
      say("length: {} steps", steps_of(training, sequences_.value_or(0)));
    }
  }

  void memory() {
    const int64_t tokens = micro_batch_size(config_.training, ranks_) * config_.data.sequence_length;
    const auto masked = [this](int64_t of) {
      return static_cast<int64_t>(std::ceil(config_.masking.probability * static_cast<double>(of)));
    };
    const int64_t evaluated =
        config_.data.evaluation_text.empty() ? 0 : kEvaluationBatchSize * config_.data.sequence_length;
    const TrainingSection& training = config_.training;
    const MemoryPlan plan = plan_memory(
        bert_, {.parameters = parameters_,
                .tokens = tokens,
                .masked = masked(tokens),
                .first_tokens = config_.task == Objective::kMlmNsp ? tokens / config_.data.sequence_length : 0,
                .evaluation_tokens = evaluated,
                .evaluation_masked = masked(evaluated),
                .gradient_blocks = training.deterministic ? SliceTree::peak_blocks(most_slices_) : 0,
                .optimizer_ranks = config_.communication.shard_optimizer ? ranks_ : 1,
                .dtype = training.precision,
                .recompute = training.recompute});
    say("memory of a rank: {:.0f} MiB (parameters, gradients and moments {:.0f}, activations {:.0f}, logits {:.0f}, "
        "evaluation besides {:.0f}, deterministic sums {:.0f}, the program itself {:.0f})",
        mib(plan.total()), mib(plan.parameters), mib(plan.activations), mib(plan.logits), mib(plan.evaluation),
        mib(plan.slices), mib(plan.process));
  }

  // A checkpoint holds weights and two moments; one more than is kept exists while it is being written.
  void disk() {
    fs::path existing = fs::absolute(config_.output);
    while (!fs::exists(existing)) existing = existing.parent_path();
    const auto available = static_cast<int64_t>(fs::space(existing).available);
    const int64_t needed = ((config_.checkpoint.keep + 1) * 3 + 1) * 4 * parameters_ + new_bytes_;
    say("disk: up to {:.0f} MiB, {:.0f} MiB free", mib(needed), mib(available));
    check<Error>(available >= needed, config_.output, ": ", available, " bytes are free (the run needs up to ", needed,
                 ")");
  }

  const PretrainConfig& config_;
  int ranks_;
  BertConfig bert_;
  std::vector<std::string> lines_;
  int64_t parameters_ = 0;
  int64_t new_bytes_ = 0;  // of text that becomes shards of about its size
  std::optional<int64_t> sequences_;
  IndexRange most_slices_;
};

}  // namespace

std::vector<std::string> plan_pretraining(const PretrainConfig& config, int ranks) {
  return Planner(config, ranks).plan();
}

}  // namespace bertha
