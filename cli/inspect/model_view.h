#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/inspect/options.h"
#include "cli/inspect/subject.h"
#include "train/checkpoint/training_state.h"
#include "train/inspect/file_tensors.h"
#include "train/inspect/tensor_statistics.h"

namespace bertha {

/// Tensors that are shown, with their statistics where these are asked for: one a tensor, else none.
struct ShownTensors {
  std::vector<FileTensor> tensors;
  std::vector<std::optional<TensorStatistics>> statistics;

  int64_t parameters() const;
  uint64_t bytes() const;
};

/// The optimiser's moments of a checkpoint, by their name: how many tensors and bytes.
struct MomentSize {
  int64_t tensors = 0;
  uint64_t bytes = 0;
};

/// All that is said of a model.
struct ModelView {
  Subject subject;
  std::optional<TrainingState> state;  // of a checkpoint, as all of moments
  std::map<std::string, MomentSize> moment_sizes;
  std::map<std::string, std::string> metadata;
  ShownTensors weights;
  std::optional<ShownTensors> moments;  // where they are asked for
};

/// The report as one JSON object.
std::string to_json(const ModelView& view);

/// The report for people: tensors under the part of the model that they belong to.
void print_listing(const ModelView& view);

}  // namespace bertha
