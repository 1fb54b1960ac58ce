#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "autograd/core/parallel.h"
#include "cli/commands.h"
#include "data/sequence_source.h"
#include "data/sharder.h"
#include "train/comm/communicator.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_evaluation.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int64_t kDefaultLength = 128;
constexpr int64_t kIgnored = -100;  // the label of a token that is not predicted

struct EvaluateOptions {
  std::string model, data, predictions;
  std::optional<int64_t> sequence_length;
  std::optional<PretrainingHeads> heads;
  bool json = false;
};

// A directory that rank 0 makes and removes again.
class TemporaryShards {
 public:
  explicit TemporaryShards(Communicator& communicator) {
    if (communicator.rank() == 0) {
      owned_ = (fs::temp_directory_path() / "bertha-evaluate-XXXXXX").string();
      check<Error>(mkdtemp(owned_.data()) != nullptr, owned_, ": cannot be made");
    }
    path_ = communicator.all_gather(owned_).front();
  }
  ~TemporaryShards() {
    std::error_code ignored;
    if (!owned_.empty()) fs::remove_all(owned_, ignored);
  }
  TemporaryShards(const TemporaryShards&) = delete;
  TemporaryShards& operator=(const TemporaryShards&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_, owned_;
};

// The heads decide what is measured; a task or a file that takes others is a mistake.
void check_task(const EvaluateOptions& options, const BertForPretraining& model) {
  check<MismatchError>(options.heads.value_or(model.heads()) == model.heads(), options.model,
                       ": was not trained for this task");
  check<MismatchError>(options.predictions.empty() || model.heads() != PretrainingHeads::kNextSentence, options.model,
                       ": has no masked-LM head, whose losses --predictions writes");
}

void make_shards(const std::string& directory, const EvaluateOptions& options, const BertForPretraining& model,
                 const WordPiece& tokenizer, Communicator& communicator) {
  ShardOptions shard_options;
  shard_options.files = {options.data};
  shard_options.directory = directory;
  shard_options.objective = model.heads() == PretrainingHeads::kMlm ? Objective::kMlm : Objective::kMlmNsp;
  shard_options.sequence_length =
      options.sequence_length.value_or(std::min(kDefaultLength, model.config().max_position_embeddings));
  shard_options.jobs = num_threads();
  shard_options.rank = communicator.rank();
  shard_options.world_size = communicator.size();
  shard_options.barrier = [&] { communicator.barrier(); };
  shard_corpus(shard_options, tokenizer, [](const ShardProgress&) {});
}

void check_shards(const ShardSet& shards, const EvaluateOptions& options, const BertForPretraining& model,
                  const WordPiece& tokenizer) {
  check<MismatchError>(
      shards.vocabulary_hash() == tokenizer.vocabulary().hash() && shards.lowercase() == tokenizer.lowercase(),
      options.data, ": was made with another vocabulary or casing than the model's");
  check<MismatchError>(shards.sequence_length() <= model.config().max_position_embeddings, options.data,
                       ": sequences of ", shards.sequence_length(), " tokens (the model has ",
                       model.config().max_position_embeddings, " positions)");
  check<MismatchError>(model.heads() == PretrainingHeads::kMlm || shards.objective() == Objective::kMlmNsp,
                       options.data, ": holds no sentence pairs (the model has a next-sentence head)");
}

// One object a sequence: {"input_ids", "labels", "loss"}; the loss is the mean over its labels, 0 without any.
void append_predictions(std::string& lines, const PackedBatch& batch, std::span<const double> mlm_rows) {
  size_t next = 0;
  for (int64_t s = 0; s < batch.sequences(); ++s) {
    const int32_t begin = batch.cu_seqlens[static_cast<size_t>(s)];
    const int32_t end = batch.cu_seqlens[static_cast<size_t>(s) + 1];
    std::vector<int64_t> labels(static_cast<size_t>(end - begin), kIgnored);
    double loss = 0;
    int64_t count = 0;
    for (; next < batch.masked_rows.size() && batch.masked_rows[next] < end; ++next, ++count) {
      labels[static_cast<size_t>(batch.masked_rows[next] - begin)] = batch.masked_labels[next];
      loss += mlm_rows[next];
    }
    const std::vector<int32_t> ids(batch.input_ids.begin() + begin, batch.input_ids.begin() + end);
    ordered_json object = {{"input_ids", ids}, {"labels", labels}};
    if (!batch.next_sentence_labels.empty()) {
      object["token_type_ids"] = std::vector<int32_t>(batch.type_ids.begin() + begin, batch.type_ids.begin() + end);
      object["next_sentence_label"] = batch.next_sentence_labels[static_cast<size_t>(s)];
    }
    object["loss"] = count ? loss / static_cast<double>(count) : 0.0;
    lines += object.dump() + "\n";
  }
}

// The ranks' lines in the order of the sequences.
void write_predictions(const std::string& path, const std::string& lines, Communicator& communicator) {
  const std::vector<std::string> all = communicator.all_gather(lines);
  if (communicator.rank() != 0) return;
  std::ofstream file(path, std::ios::binary);
  for (const std::string& part : all) file << part;
  check<Error>(file.flush().good(), path, ": cannot be written");
}

void run_evaluate(const EvaluateOptions& options) {
  const auto communicator = make_communicator();
  const auto model = read_model(options.model);
  check_task(options, *model);
  const WordPiece tokenizer = read_tokenizer(options.model, model->config());
  std::optional<TemporaryShards> made;
  if (!fs::is_directory(options.data)) {
    made.emplace(*communicator);
    make_shards(made->path(), options, *model, tokenizer, *communicator);
  }
  const auto shards = std::make_shared<ShardSet>(made ? made->path() : options.data);
  check_shards(*shards, options, *model, tokenizer);
  const EvaluationBatches batches(masked(shard_source(shards), Masker({}, tokenizer.vocabulary())),
                                  kEvaluationBatchSize);
  std::string lines;
  const PretrainingLosses losses =
      evaluate_pretraining(*model, batches, *communicator, [&](const PackedBatch& batch, std::span<const double> rows) {
        if (!options.predictions.empty()) append_predictions(lines, batch, rows);
      });
  if (!options.predictions.empty()) write_predictions(options.predictions, lines, *communicator);
  if (communicator->rank() != 0) return;
  ordered_json object;
  for (const auto& [name, value] : evaluation_metrics(*model, losses)) {
    object[name == "mlm_accuracy" ? "accuracy" : name] = value;
    if (!options.json) fmt::print("{:<16} {:.6f}\n", name == "mlm_accuracy" ? "accuracy" : name, value);
  }
  if (options.json) fmt::print("{}\n", object.dump());
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = app.add_subcommand(
      "evaluate", "The losses of a pretrained model on held-out text under fixed masks. Also runs under mpirun -n N.");
  command->add_option("MODEL", options->model, "A model directory")->required();
  const std::map<std::string, PretrainingHeads> tasks = {{"mlm", PretrainingHeads::kMlm},
                                                         {"mlm_nsp", PretrainingHeads::kMlmAndNextSentence},
                                                         {"next_sentence", PretrainingHeads::kNextSentence}};
  command->add_option("--task", options->heads, "What the model was trained for (default: as its config.json says)")
      ->transform(CLI::CheckedTransformer(tasks))
      ->option_text("mlm|mlm_nsp|next_sentence");
  command->add_option("--data", options->data, "A text file, or a directory of shards")->required();
  command
      ->add_option("--sequence-length", options->sequence_length,
                   "Tokens of a sequence made from text (default: 128, or the model's positions)")
      ->check(CLI::Range(8, 65535));
  command->add_option("--predictions", options->predictions, "Write one JSON object a sequence to this file");
  command->add_flag("--json", options->json, "One JSON object");
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace bertha
