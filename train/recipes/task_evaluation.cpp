#include "train/recipes/task_evaluation.h"

#include <cstring>

#include "data/batches.h"
#include "train/phase.h"

namespace bertha {
namespace {

template <class T>
void append_bytes(std::string& bytes, std::span<const T> values) {
  const auto raw = std::as_bytes(values);
  bytes.append(reinterpret_cast<const char*>(raw.data()), raw.size());
}

std::string to_bytes(const std::vector<TaskOutputs>& outputs) {
  std::string bytes;
  for (const TaskOutputs& numbers : outputs) {
    const uint64_t size = numbers.size();
    append_bytes(bytes, std::span(&size, 1));
    append_bytes(bytes, std::span<const float>(numbers));
  }
  return bytes;
}

void append_outputs(std::string_view bytes, std::vector<TaskOutputs>& outputs) {
  while (!bytes.empty()) {
    uint64_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    TaskOutputs& numbers = outputs.emplace_back(size);
    std::memcpy(numbers.data(), bytes.data(), size * sizeof(float));
    bytes.remove_prefix(size * sizeof(float));
  }
}

}  // namespace

std::vector<TaskOutputs> evaluate_task(const BertForTask& model, const TaskSet& set, Communicator& communicator) {
  enter(Phase::kEvaluation);
  const EvaluationBatches batches(example_source(set.examples), kInferenceBatchSize);
  const IndexRange local = rank_share(batches.slices(), communicator.rank(), communicator.size());
  std::vector<TaskOutputs> own;
  for (int64_t slice = local.begin; slice < local.end; ++slice) {
    for (TaskOutputs& outputs : task_outputs(model, batches.at(slice))) own.push_back(std::move(outputs));
  }
  if (communicator.size() == 1) return own;
  std::vector<TaskOutputs> all;
  for (const std::string& bytes : communicator.all_gather(to_bytes(own))) append_outputs(bytes, all);
  return all;
}

}  // namespace bertha
