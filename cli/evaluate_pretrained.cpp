#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "cli/evaluate.h"
#include "data/file.h"
#include "data/sequence_source.h"
#include "data/sharder.h"
#include "train/model_directory.h"
#include "train/recipes/pretraining_evaluation.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int64_t kDefaultLength = 128;
constexpr int64_t kIgnored = -100;  // the label of a token that is not predicted

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

// The heads decide what is measured; of a model that has both a task may ask for one.
Head head_to_evaluate(const EvaluateOptions& options, const ModelDescription& description) {
  const Head head = options.task ? head_of(*options.task) : description.head;
  check<MismatchError>(has_head(description.head, head), options.model, ": was not trained for this task");
  check<MismatchError>(options.predictions.empty() || head != Head::kNextSentence, options.model,
                       ": next_sentence has no masked-LM head, whose losses --predictions writes");
  return head;
}

void make_shards(const std::string& directory, const EvaluateOptions& options, const BertForPretraining& model,
                 const Tokenizer& tokenizer, Communicator& communicator) {
  ShardOptions shard_options;
  shard_options.files = {options.data};
  shard_options.directory = directory;
  shard_options.objective = model.heads() == Head::kMlm ? Objective::kMlm : Objective::kMlmNsp;
  shard_options.sequence_length =
      options.lengths.sequence_length.value_or(std::min(kDefaultLength, model.config().longest_sequence()));
  shard_options.jobs = num_threads();
  shard_options.rank = communicator.rank();
  shard_options.world_size = communicator.size();
  shard_options.barrier = [&] { communicator.barrier(); };
  shard_corpus(shard_options, tokenizer, [](const ShardProgress&) {});
}

void check_shards(const ShardSet& shards, const EvaluateOptions& options, const BertForPretraining& model,
                  const Tokenizer& tokenizer) {
  check<MismatchError>(shards.vocabulary_hash() == tokenizer.hash() && shards.lowercase() == tokenizer.lowercase(),
                       options.data, ": was made with another vocabulary or casing than the model's");
  check<MismatchError>(shards.sequence_length() <= model.config().longest_sequence(), options.data, ": sequences of ",
                       shards.sequence_length(), " tokens (the model has ", model.config().longest_sequence(),
                       " positions)");
  check<MismatchError>(model.heads() == Head::kMlm || shards.objective() == Objective::kMlmNsp, options.data,
                       ": holds no sentence pairs (the model has a next-sentence head)");
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
    for (; next < batch.labelled_rows.size() && batch.labelled_rows[next] < end; ++next, ++count) {
      labels[static_cast<size_t>(batch.labelled_rows[next] - begin)] = batch.row_labels[next];
      loss += mlm_rows[next];
    }
    const std::vector<int32_t> ids(batch.input_ids.begin() + begin, batch.input_ids.begin() + end);
    ordered_json object = {{"input_ids", ids}, {"labels", labels}};
    if (!batch.sequence_labels.empty()) {
      object["token_type_ids"] = std::vector<int32_t>(batch.type_ids.begin() + begin, batch.type_ids.begin() + end);
      object["next_sentence_label"] = batch.sequence_labels[static_cast<size_t>(s)];
    }
    object["loss"] = count ? loss / static_cast<double>(count) : 0.0;
    lines += object.dump() + "\n";
  }
}

// The ranks' lines in the order of the sequences.
void write_predictions(const std::string& path, const std::string& lines, Communicator& communicator) {
  std::string all;
  for (const std::string& part : communicator.all_gather(lines)) all += part;
  if (communicator.rank() == 0) write_durably(path, all);
}

}  // namespace

Evaluation evaluate_pretrained(const EvaluateOptions& options, const ModelDescription& description,
                               Communicator& communicator) {
  BertForPretraining model(description.config, head_to_evaluate(options, description));
  read_model_weights(options.model, model.parameters());
  const auto tokenizer = read_tokenizer(options.model, description.config);
  const Masker masker({}, *tokenizer);
  std::optional<TemporaryShards> made;
  if (!fs::is_directory(options.data)) {
    made.emplace(communicator);
    make_shards(made->path(), options, model, *tokenizer, communicator);
  }
  const auto shards = std::make_shared<ShardSet>(made ? made->path() : options.data);
  check_shards(*shards, options, model, *tokenizer);
  const EvaluationBatches batches(masked(shard_source(shards), masker), kEvaluationBatchSize);
  std::string lines;
  const PretrainingLosses losses =
      evaluate_pretraining(model, batches, communicator, [&](const PackedBatch& batch, std::span<const double> rows) {
        if (!options.predictions.empty()) append_predictions(lines, batch, rows);
      });
  if (!options.predictions.empty()) write_predictions(options.predictions, lines, communicator);
  auto metrics = evaluation_metrics(model, losses);
  for (auto& [name, value] : metrics) {
    if (name == "mlm_accuracy") name = "accuracy";
  }
  return {metrics, note_of_unused_weights(options.model, model.parameters()), ""};
}

}  // namespace bertha
