#include "cli/task_lengths.h"

#include <algorithm>

#include "autograd/core/error.h"

namespace bertha {

void set_lengths(ModelDescription& description, const TaskLengths& asked) {
  TaskDescription& task = description.task;
  const int64_t longest = description.config.longest_sequence();
  const bool remembers = task.sequence_length > 0 && task.sequence_length <= longest;
  if (!remembers) task.sequence_length = longest;
  if (asked.sequence_length) {
    check<MismatchError>(*asked.sequence_length <= longest, "--sequence-length: ", *asked.sequence_length,
                         " tokens (the model has ", longest, " positions)");
    task.sequence_length = *asked.sequence_length;
    // What two windows share in the model's own length may not fit into a shorter one.
    task.stride = std::min(task.stride, usual_stride(task.sequence_length));
  }
  task.stride = asked.stride.value_or(task.stride);
}

}  // namespace bertha
