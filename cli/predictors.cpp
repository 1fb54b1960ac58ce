#include "cli/predictors.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "cli/predictor_kinds.h"

namespace bertha {
namespace {

Task natural_task(const ModelDescription& description) {
  return has_head(description.head, Head::kMlm) ? Task::kFillMask : description.task.task;
}

bool is_fine_tuned(Task task) {
  return std::ranges::count(finetuning_tasks(), task) > 0;
}

// Any model has hidden states; other tasks need their head, and a head of fine-tuning is for one task only.
bool can_do(const ModelDescription& description, Task task) {
  return is_fine_tuned(task) ? description.task.task == task : has_head(description.head, head_of(task));
}

// Throws where an option was given that `task` has no use for.
void check_option(bool given, const char* option, Task task, std::initializer_list<Task> takers) {
  if (!given || std::ranges::count(takers, task) > 0) return;
  std::string names;
  for (const Task taker : takers) names.append(names.empty() ? "" : " or ").append(task_name(taker));
  fail<ConfigError>(option, ": is for --task ", names, " (this is ", task_name(task), ")");
}

void check_options(const PredictOptions& options, Task task) {
  check_option(options.top_k.has_value(), "--top-k", task,
               {Task::kFillMask, Task::kQuestionAnswering, Task::kSimilarity});
  check_option(options.pooling.has_value(), "--pooling", task, {Task::kEmbedding, Task::kSimilarity});
  check_option(!options.word.empty(), "--word", task, {Task::kEmbedding, Task::kSimilarity});
  check_option(!options.candidates.empty(), "--candidates", task, {Task::kSimilarity});
  check_option(!options.output.empty(), "--output", task, {Task::kEmbedding});
  check_option(options.lengths.stride.has_value(), "--stride", task, {Task::kQuestionAnswering});
  check<ConfigError>(!options.lengths.sequence_length || is_fine_tuned(task),
                     "--sequence-length: is for tasks of fine-tuning (this is ", task_name(task), ")");
  check<ConfigError>(!options.top_k || task != Task::kSimilarity || !options.candidates.empty(),
                     "--top-k: is for --candidates (two texts have one similarity)");
  check<ConfigError>(!options.pooling || options.word.empty(),
                     "--pooling: is not for --word (a word's vector is the mean of its tokens)");
}

}  // namespace

std::unique_ptr<Predictor> make_predictor(const PredictOptions& options) {
  const ModelDescription description = read_model_description(options.model);
  const Task task = options.task.value_or(natural_task(description));
  check<MismatchError>(can_do(description, task), options.model, ": has no head for this task (", task_name(task),
                       "; it was trained for ", task_name(natural_task(description)), ")");
  check_options(options, task);
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
