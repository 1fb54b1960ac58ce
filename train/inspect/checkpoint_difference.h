#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint/training_state.h"

namespace bertha {

/// Something with a name that is not the same on both sides, or there on one only.
struct NamedDifference {
  std::string name;
  std::optional<std::string> a, b;
};

/// The files of two model directories that hold no tensors, where their bytes differ; each side is a checksum. A
/// manifest and files of more than 64 MiB are left out. Throws what reading does.
std::vector<NamedDifference> file_differences(const std::string& directory_a, const std::string& directory_b);

/// The members of two training states that differ, their configurations key by key.
std::vector<NamedDifference> state_differences(const TrainingState& a, const TrainingState& b);

}  // namespace bertha
