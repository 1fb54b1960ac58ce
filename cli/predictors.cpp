#include "cli/predictors.h"

#include "cli/predictor_kinds.h"

namespace bertha {
namespace {

Task natural_task(const ModelDescription& description) {
  const Head head = description.head;
  if (head == Head::kMlm || head == Head::kMlmAndNextSentence) return Task::kFillMask;
  return description.task.task;
}

// Any model has hidden states; other tasks need their head.
bool has_head_for(const ModelDescription& description, Task task) {
  switch (task) {
    case Task::kEmbedding:
    case Task::kSimilarity:
      return true;
    case Task::kFillMask:
      return description.head == Head::kMlm || description.head == Head::kMlmAndNextSentence;
    case Task::kNextSentence:
      return description.head == Head::kNextSentence || description.head == Head::kMlmAndNextSentence;
    default:
      return description.task.task == task;
  }
}

}  // namespace

std::unique_ptr<Predictor> make_predictor(const PredictOptions& options) {
  const ModelDescription description = read_model_description(options.model);
  const Task task = options.task.value_or(natural_task(description));
  check<MismatchError>(has_head_for(description, task), options.model, ": has no head for this task (", task_name(task),
                       "; it was trained for ", task_name(natural_task(description)), ")");
  switch (task) {
    case Task::kFillMask:
    case Task::kNextSentence:
      return make_pretraining_predictor(options, task);
    case Task::kEmbedding:
    case Task::kSimilarity:
      return make_vector_predictor(options, description, task);
    default:
      return make_task_predictor(options, description);
  }
}

}  // namespace bertha
