#include "train/recipes/finetuning_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "data/batches.h"
#include "train/recipes/finetuning_inputs.h"
#include "train/recipes/finetuning_seeds.h"
#include "train/recipes/run_plan.h"
#include "train/recipes/run_setup.h"

namespace bertha {
namespace {

constexpr size_t kMostLabels = 20;  // that a sentence lists

// Tokens and sequences of the longest examples that may come together.
struct LargestBatch {
  int64_t tokens = 0, sequences = 0;

  LargestBatch(const TaskSet& set, int64_t examples) {
    std::vector<int64_t> lengths;
    int64_t most_sequences = 0;
    for (const TaskExample& example : *set.examples) {
      const auto add = [](int64_t sum, const TaskSequence& sequence) { return sum + std::ssize(sequence.ids); };
      lengths.push_back(std::accumulate(example.sequences.begin(), example.sequences.end(), int64_t{0}, add));
      most_sequences = std::max(most_sequences, std::ssize(example.sequences));
    }
    std::ranges::sort(lengths, std::ranges::greater{});
    lengths.resize(static_cast<size_t>(std::min(examples, std::ssize(lengths))));
    tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
    sequences = std::ssize(lengths) * most_sequences;
  }
};

class Planner {
 public:
  Planner(const FinetuneConfig& config, int ranks)
      : config_(config),
        ranks_(ranks),
        inputs_(read_finetuning_inputs(config)),
        plan_(config.training, config.communication, config.checkpoint, ranks) {}

  std::vector<std::string> plan() {
    model();
    data();
    plan_.say_step("examples");
    plan_.say_length(std::ssize(*inputs_.train.examples));
    if (!config_.seeds.empty()) {
      plan_.say(fmt::format("seeds: {}, a run of each in {}/seed-N", fmt::join(config_.seeds, ", "), config_.output));
    }
    memory();
    disk();
    return plan_.lines();
  }

 private:
  void model() {
    BertForTask model(inputs_.description.config, task_head(inputs_.description));
    const std::vector<std::string> sentences = initialize(model, config_, inputs_);
    parameters_ = parameter_count(model.parameters());
    plan_.say(fmt::format("model: {} parameters", parameters_));
    std::ranges::for_each(sentences, [this](const std::string& sentence) { plan_.say(sentence); });
  }

  void data() {
    plan_.say(fmt::format("data: {} examples of {} items", inputs_.train.examples->size(), inputs_.train.items));
    for (const auto& [name, set] : {std::pair("validation", &inputs_.validation), std::pair("test", &inputs_.test)}) {
      if (*set) plan_.say(fmt::format("{}: {} items", name, (*set)->items));
    }
    const std::vector<std::string>& labels = inputs_.description.task.labels;
    if (!labels.empty()) plan_.say("labels: " + listed(labels, kMostLabels));
    for (const TaskSet* set : inputs_.sets()) {
      std::ranges::for_each(set->notes, [this](const std::string& note) { plan_.say(note); });
    }
  }

  // Of the last layer, heads of sequences read the first tokens only.
  void memory() {
    const Head head = inputs_.description.head;
    const LargestBatch step(inputs_.train, micro_batch_size(config_.training, ranks_));
    const bool reads_first = head == Head::kSequence || head == Head::kChoice;
    int64_t evaluated = 0;
    for (const TaskSet* set : inputs_.sets()) {
      if (set != &inputs_.train) evaluated = std::max(evaluated, LargestBatch(*set, kInferenceBatchSize).tokens);
    }
    int64_t teacher = 0;
    if (inputs_.teacher) {
      const BertForTask& model = *inputs_.teacher->model;
      teacher = memory_of_teacher(model.config(), parameter_count(model.parameters()), step.tokens);
    }
    plan_.say_memory(inputs_.description.config, {.parameters = parameters_,
                                                  .tokens = step.tokens,
                                                  .first_tokens = reads_first ? step.sequences : step.tokens,
                                                  .evaluation_tokens = evaluated,
                                                  .teacher_bytes = teacher});
  }

  // Of each run the checkpoints, its model, and its best one twice while it is being written.
  void disk() {
    const auto runs = std::max<int64_t>(1, std::ssize(config_.seeds));
    const int64_t best = inputs_.validation ? 2 : 0;
    plan_.say_disk(config_.output, runs * (plan_.bytes_of_run(parameters_) + best * 4 * parameters_));
  }

  const FinetuneConfig& config_;
  int ranks_;
  FinetuningInputs inputs_;
  RunPlan plan_;
  int64_t parameters_ = 0;
};

}  // namespace

std::vector<std::string> plan_finetuning(const FinetuneConfig& config, int ranks) {
  return Planner(config, ranks).plan();
}

}  // namespace bertha
