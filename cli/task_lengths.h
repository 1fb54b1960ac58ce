#pragma once

#include <cstdint>
#include <optional>

#include "train/model_description.h"

namespace bertha {

/// How a task's texts are cut, where that is not as the model remembers it.
struct TaskLengths {
  std::optional<int64_t> sequence_length;
  std::optional<int64_t> stride;
};

/// Sets the lengths of the description's task: what is asked for, or what the model remembers; without either as many
/// tokens as it has positions. Throws MismatchError where it has fewer.
void set_lengths(ModelDescription& description, const TaskLengths& asked);

}  // namespace bertha
